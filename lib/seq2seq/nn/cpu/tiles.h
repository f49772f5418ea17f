#pragma once

// How products with packed weights go through their results: in tiles whose sums stay in registers.

#include "seq2seq/nn/cpu/loop_math.h"

namespace seq2seq::kernels {
namespace {

/// y[0 .. count) = values + bias, or += that; at most `width` of them
template <int64_t width = lanes>
SEQ2SEQ_INLINE void finish(const float* __restrict values, const float* __restrict bias, bool add,
                           float* __restrict y, int64_t count) {
  const auto one = [=](int64_t i) {
    const float sum = bias == nullptr ? values[i] : values[i] + bias[i];
    y[i] = add ? y[i] + sum : sum;
  };
  if (count == width)  // as a loop of known length
    for (int64_t i = 0; i < width; ++i) one(i);
  else
    for (int64_t i = 0; i < count; ++i) one(i);
}

/// The rows from `row` to before `end`, at most `row_count` of them.
template <int panel_count, int row_count, class Tile>
SEQ2SEQ_INLINE void last_rows(const Tile& tile, int64_t row, int64_t end, int64_t panel) {
  if constexpr (row_count > 0) {
    if (end - row == row_count)
      tile.template at<row_count, panel_count>(row, panel);
    else
      last_rows<panel_count, row_count - 1>(tile, row, end, panel);
  }
}

template <int panel_count, class Tile>
SEQ2SEQ_INLINE void all_rows(const Tile& tile, int64_t begin, int64_t end, int64_t panel) {
  int64_t row = begin;
  for (; row + Tile::rows <= end; row += Tile::rows) tile.template at<Tile::rows, panel_count>(row, panel);
  last_rows<panel_count, Tile::rows - 1>(tile, row, end, panel);
}

/// Calls tile.at<rows, panels>(row, panel) for tiles of at most Tile::rows and Tile::panels that cover `rows` rows and the
/// panels from `begin` to before `end`.
template <class Tile>
SEQ2SEQ_INLINE void for_tiles(const Tile& tile, int64_t rows, int64_t begin, int64_t end) {
  // Few enough that their parts of y are written together.
  constexpr int64_t block_rows = 96 / Tile::rows * Tile::rows;
  for (int64_t first = 0; first < rows; first += block_rows) {
    const int64_t last = smaller(first + block_rows, rows);
    int64_t panel = begin;
    for (; panel + Tile::panels <= end; panel += Tile::panels)
      all_rows<Tile::panels>(tile, first, last, panel);
    for (; panel < end; ++panel) all_rows<1>(tile, first, last, panel);
  }
}

}  // namespace
}  // namespace seq2seq::kernels
