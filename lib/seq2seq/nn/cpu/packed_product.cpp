#include "seq2seq/nn/cpu/loop_math.h"
#include "seq2seq/nn/cpu/loops.h"
#include "seq2seq/nn/cpu/tiles.h"

namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET {
namespace {

using Vector = Lanes<float>::Vector;
constexpr int vectors = Lanes<float>::parts;  // of a panel

SEQ2SEQ_INLINE void read(const float* from, Vector& weights) {
  __builtin_memcpy(&weights, from, sizeof weights);
}
/// The halves of bfloat16 numbers that float32 numbers with the same values begin with.
SEQ2SEQ_INLINE void read(const uint16_t* from, Vector& weights) {
  typedef uint16_t Halves __attribute__((vector_size(sizeof(Vector) / 2)));
  typedef uint32_t Bits __attribute__((vector_size(sizeof(Vector))));
  Halves halves;
  __builtin_memcpy(&halves, from, sizeof halves);
  const Bits bits = __builtin_convertvector(halves, Bits) << 16;
  __builtin_memcpy(&weights, &bits, sizeof weights);
}

/// Tiles of y. Every element is summed over the width in ascending order by itself, so that it depends neither on the
/// tile it is part of nor on the other rows.
template <class Weight>
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
    const Weight* weights = static_cast<const Weight*>(t.weight.values) + panel * t.width * lanes;
    for (int64_t i = 0; i < t.width; ++i)
#pragma GCC unroll 8
      for (int v = 0; v < panel_count * vectors; ++v) {
        Vector weight;
        read(weights + (v / vectors * t.width + i) * lanes + v % vectors * Lanes<float>::width, weight);
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
};

}  // namespace

void product(const PackedProduct& terms, int64_t begin, int64_t end) {
  if (terms.weight.format == WeightFormat::bfloat16)
    for_tiles(FloatTile<uint16_t>{terms}, terms.rows, begin, end);
  else
    for_tiles(FloatTile<float>{terms}, terms.rows, begin, end);
}

}  // namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET
