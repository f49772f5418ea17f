#include "seq2seq/nn/cpu/loop_math.h"
#include "seq2seq/nn/cpu/loops.h"
#include "seq2seq/nn/cpu/tiles.h"

namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET {
namespace {

using Vector = Lanes<float>::Vector;
constexpr int vectors = Lanes<float>::parts;  // of a panel

/// As panels hold them: [panels, width, lanes].
struct Float32Weights {
  static constexpr int inputs = 1;  // that stand together
  const float* values;

  SEQ2SEQ_INLINE Float32Weights(const PackedProduct& t, int64_t panel)
      : values(static_cast<const float*>(t.weight.values) + panel * t.width * lanes) {}
  /// Of the vector `v` of the columns of all panels from the first one.
  SEQ2SEQ_INLINE void read(int64_t width, int64_t input, int v, Vector (&weights)[inputs]) const {
    __builtin_memcpy(weights,
                     values + (v / vectors * width + input) * lanes + v % vectors * Lanes<float>::width,
                     sizeof(Vector));
  }
};

/// [panels, width / 2 rounded up, lanes, 2]: words of which each half is that of a float32 number with the same value.
struct Bfloat16Weights {
  static constexpr int inputs = 2;
  const uint32_t* values;

  SEQ2SEQ_INLINE Bfloat16Weights(const PackedProduct& t, int64_t panel)
      : values(static_cast<const uint32_t*>(t.weight.values) + panel * ((t.width + 1) / 2) * lanes) {}
  SEQ2SEQ_INLINE void read(int64_t width, int64_t input, int v, Vector (&weights)[inputs]) const {
    typedef uint32_t Words __attribute__((vector_size(sizeof(Vector))));
    Words words;
    __builtin_memcpy(
        &words,
        values + (v / vectors * ((width + 1) / 2) + input / 2) * lanes + v % vectors * Lanes<float>::width,
        sizeof words);
    const Words first = words << 16, second = words & 0xFFFF0000U;
    __builtin_memcpy(&weights[0], &first, sizeof first);
    __builtin_memcpy(&weights[1], &second, sizeof second);
  }
};

/// Tiles of y. Every element is summed over the width in ascending order by itself, so that it depends neither on the
/// tile it is part of nor on the other rows.
template <class Weights>
struct FloatTile {
  // The largest whose sums stay in registers.
#if defined(__AVX512F__)
  static constexpr int rows = 6, panels = 4;
#elif defined(__AVX__)
  static constexpr int rows = 3, panels = 2;
#else
  static constexpr int rows = 2, panels = 1;
#endif
  const PackedProduct& t;

  template <int row_count, int panel_count>
  SEQ2SEQ_INLINE void at(int64_t row, int64_t panel) const {
    Vector sums[row_count][panel_count * vectors] = {};
    const float* x = t.x + row * t.x_stride;
    const Weights weights(t, panel);
    int64_t i = 0;
    for (; i + Weights::inputs <= t.width; i += Weights::inputs)
      add<Weights::inputs, row_count, panel_count>(x, weights, i, sums);
    if (i < t.width) add<1, row_count, panel_count>(x, weights, i, sums);
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

  /// sums += the products of the next inputs.
  template <int input_count, int row_count, int panel_count>
  SEQ2SEQ_INLINE void add(const float* x, const Weights& weights, int64_t input,
                          Vector (&sums)[row_count][panel_count * vectors]) const {
#pragma GCC unroll 8
    for (int v = 0; v < panel_count * vectors; ++v) {
      Vector weight[Weights::inputs];
      weights.read(t.width, input, v, weight);
#pragma GCC unroll 2
      for (int i = 0; i < input_count; ++i)
#pragma GCC unroll 8
        for (int r = 0; r < row_count; ++r) sums[r][v] += x[r * t.x_stride + input + i] * weight[i];
    }
  }
};

template <class Weights>
__attribute__((noinline)) void product_with(const PackedProduct& terms, int64_t begin, int64_t end) {
  for_tiles(FloatTile<Weights>{terms}, terms.rows, begin, end);
}

}  // namespace

void product(const PackedProduct& terms, int64_t begin, int64_t end) {
  if (terms.weight.format == WeightFormat::bfloat16)
    product_with<Bfloat16Weights>(terms, begin, end);
  else
    product_with<Float32Weights>(terms, begin, end);
}

}  // namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET
