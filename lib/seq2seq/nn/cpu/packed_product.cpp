#include "seq2seq/nn/cpu/loop_math.h"
#include "seq2seq/nn/cpu/loops.h"

namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET {
namespace {

using Vector = Lanes<float>::Vector;
constexpr int vectors = Lanes<float>::parts;  // of a panel

/// y[0 .. count) = values + bias, or += that
SEQ2SEQ_INLINE void finish(const float* __restrict values, const float* __restrict bias, bool add,
                           float* __restrict y, int64_t count) {
  const auto one = [=](int64_t i) {
    const float sum = bias == nullptr ? values[i] : values[i] + bias[i];
    y[i] = add ? y[i] + sum : sum;
  };
  if (count == lanes)  // as a loop of known length
    for (int64_t i = 0; i < lanes; ++i) one(i);
  else
    for (int64_t i = 0; i < count; ++i) one(i);
}

/// A tile of y. Every element is summed over the width in ascending order by itself, so that it depends neither on
/// the tile it is part of nor on the other rows.
template <int row_count, int panel_count>
SEQ2SEQ_INLINE void tile(const PackedProduct& t, int64_t row, int64_t panel) {
  Vector sums[row_count][panel_count * vectors] = {};
  const float* x = t.x + row * t.x_stride;
  const float* weights = t.panels + panel * t.width * lanes;
  for (int64_t i = 0; i < t.width; ++i)
#pragma GCC unroll 8
    for (int v = 0; v < panel_count * vectors; ++v) {
      Vector weight;
      __builtin_memcpy(&weight,
                       weights + (v / vectors * t.width + i) * lanes + v % vectors * Lanes<float>::width,
                       sizeof weight);
#pragma GCC unroll 8
      for (int r = 0; r < row_count; ++r) sums[r][v] += x[r * t.x_stride + i] * weight;
    }
#pragma GCC unroll 8
  for (int r = 0; r < row_count; ++r)
    for (int p = 0; p < panel_count; ++p) {
      const int64_t first = (panel + p) * lanes;
      float values[lanes];
      __builtin_memcpy(values, &sums[r][p * vectors], sizeof values);
      finish(values, t.bias == nullptr ? nullptr : t.bias + first, t.add,
             t.y + (row + r) * t.y_stride + first, smaller(lanes, t.columns - first));
    }
}

// The largest tile whose sums stay in registers.
#if defined(__AVX512F__)
constexpr int tile_rows = 6, tile_panels = 4;
#elif defined(__AVX__)
constexpr int tile_rows = 3, tile_panels = 2;
#else
constexpr int tile_rows = 2, tile_panels = 1;
#endif
constexpr int64_t block_rows = 96;  // few enough that their parts of y are written together

/// The rows that are left after `row`, fewer than tile_rows.
template <int panel_count, int row_count = tile_rows - 1>
SEQ2SEQ_INLINE void last_rows(const PackedProduct& t, int64_t row, int64_t panel) {
  if constexpr (row_count > 0) {
    if (t.rows - row == row_count)
      tile<row_count, panel_count>(t, row, panel);
    else
      last_rows<panel_count, row_count - 1>(t, row, panel);
  }
}

template <int panel_count>
SEQ2SEQ_INLINE void all_rows(const PackedProduct& t, int64_t panel) {
  int64_t row = 0;
  for (; row + tile_rows <= t.rows; row += tile_rows) tile<tile_rows, panel_count>(t, row, panel);
  last_rows<panel_count>(t, row, panel);
}

}  // namespace

void product(const PackedProduct& terms, int64_t begin, int64_t end) {
  for (int64_t first = 0; first < terms.rows; first += block_rows) {
    PackedProduct block = terms;
    block.x += first * terms.x_stride;
    block.y += first * terms.y_stride;
    block.rows = smaller(block_rows, terms.rows - first);
    int64_t panel = begin;
    for (; panel + tile_panels <= end; panel += tile_panels) all_rows<tile_panels>(block, panel);
    for (; panel < end; ++panel) all_rows<1>(block, panel);
  }
}

}  // namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET
