// Products with weights in int8. Compiled without fused multiply-add, so that every instruction set rounds alike.
#include "seq2seq/nn/cpu/int8_arithmetic.h"
#include "seq2seq/nn/cpu/loop_math.h"
#include "seq2seq/nn/cpu/loops.h"
#include "seq2seq/nn/cpu/tiles.h"
#include "seq2seq/nn/engine/quantization.h"

namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET {
namespace {

constexpr int64_t vectors = lanes / Arithmetic::columns;  // of a panel

SEQ2SEQ_INLINE void quantize_row(const float* x, int64_t width, unsigned char* row, float* scale) {
  const Quantization rounding = quantization_of(largest_bits(x, width));
  *scale = rounding.scale;
  for (int64_t first = 0; first < width; first += chunk_width) {
    int8_t chunk[chunk_width];
    const int64_t count = smaller(chunk_width, width - first);
    if (count == chunk_width) {  // as a loop of known length
      for (int64_t i = 0; i < chunk_width; ++i) chunk[i] = quantized(x[first + i], rounding.inverse);
    } else {
      __builtin_memset(chunk, 0, sizeof chunk);
      for (int64_t i = 0; i < count; ++i) chunk[i] = quantized(x[first + i], rounding.inverse);
    }
    Arithmetic::write(chunk, row, first, width);
  }
}

struct Int8Tile {
  static constexpr int rows = Arithmetic::rows, panels = Arithmetic::panels;
  const PackedProduct& t;
  const QuantizedRows& x;
  int64_t groups, row_bytes;

  template <int row_count, int panel_count>
  SEQ2SEQ_INLINE void at(int64_t row, int64_t panel) const {
    constexpr int all = panel_count * vectors;
    constexpr int at_once = row_count * all <= Arithmetic::most_sums ? all : 1;
    for (int64_t first = 0; first < all; first += at_once)
      part<row_count, at_once>(row, panel * vectors + first);
  }

  /// As many columns as there are in `vector_count` vectors, from the vector `first` of all panels.
  template <int row_count, int vector_count>
  SEQ2SEQ_INLINE void part(int64_t row, int64_t first) const {
    Arithmetic::Sums sums[row_count][vector_count] = {};
    const unsigned char* values = x.values + row * row_bytes;
    const auto* weight_values = static_cast<const int8_t*>(t.weight.values);
    for (int64_t g = 0; g < groups; ++g) {
      Arithmetic::Weights weights[vector_count];
#pragma GCC unroll 8
      for (int v = 0; v < vector_count; ++v) {
        const int64_t panel = (first + v) / vectors, place = (first + v) % vectors * Arithmetic::columns;
        Arithmetic::read(weight_values + ((panel * groups + g) * lanes + place) * group_width, weights[v]);
      }
#pragma GCC unroll 16
      for (int r = 0; r < row_count; ++r) {
        Arithmetic::Inputs inputs;
        Arithmetic::read(values + r * row_bytes, g, t.width, inputs);
#pragma GCC unroll 8
        for (int v = 0; v < vector_count; ++v) Arithmetic::add(inputs, weights[v], sums[r][v]);
      }
    }
    int32_t integers[row_count][vector_count][Arithmetic::columns];
    __builtin_memcpy(integers, sums, sizeof integers);
#pragma GCC unroll 1
    for (int r = 0; r < row_count; ++r)
#pragma GCC unroll 1
      for (int v = 0; v < vector_count; ++v)
        write(integers[r][v], row + r, (first + v) * Arithmetic::columns);
  }

  SEQ2SEQ_INLINE void write(const int32_t* integers, int64_t row, int64_t column) const {
    constexpr int64_t columns = Arithmetic::columns;
    const int64_t count = smaller(columns, t.columns - column);
    if (count <= 0) return;
    float values[columns];
    const float scale = x.scales[row];
    const float* __restrict scales = t.weight.scales + column;
    const int32_t* __restrict weight_sums = t.weight.sums + column;
    for (int64_t i = 0; i < columns; ++i)
      values[i] = static_cast<float>(integers[i] - Arithmetic::offset * weight_sums[i]) * (scale * scales[i]);
    finish<columns>(values, t.bias == nullptr ? nullptr : t.bias + column, t.add,
                    t.y + row * t.y_stride + column, count);
  }
};

int64_t row_bytes(int64_t width) {
  return Arithmetic::row_bytes(width);
}

void quantize(const PackedProduct& terms, const QuantizedRows& rows, int64_t begin, int64_t end) {
  const int64_t bytes = row_bytes(terms.width);
  for (int64_t r = begin; r < end; ++r)
    quantize_row(terms.x + r * terms.x_stride, terms.width, rows.values + r * bytes, rows.scales + r);
}

void int8_product(const PackedProduct& terms, const QuantizedRows& rows, int64_t begin, int64_t end) {
  const Int8Tile tile{terms, rows, (terms.width + group_width - 1) / group_width, row_bytes(terms.width)};
  for_tiles(tile, terms.rows, begin, end);
}

}  // namespace

extern const Int8Loops int8_loops;  // NOLINT(readability-redundant-declaration): not in the tests' namespace
const Int8Loops int8_loops{.row_bytes = row_bytes, .quantize = quantize, .product = int8_product};

}  // namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET
