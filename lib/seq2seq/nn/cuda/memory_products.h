#pragma once

// Products of rows with the states of their own sentence. No sum depends on the order in which threads run.

#include "seq2seq/nn/cuda/functions.h"
#include "seq2seq/nn/cuda/group.h"

namespace seq2seq::cuda {

/// Rows for which one reading of a state serves.
constexpr int rows_at_once = 4;

/// One position, a warp each: its products with all rows.
template <class Scalar>
struct StatesDotPosition {
  StatesTerms<Scalar> t;

  template <class Group>
  SEQ2SEQ_DEVICE void operator()(const Group& group, int64_t item) const {
    const Place position = place_of(item, t.length);
    for (int64_t first = 0; first < t.rows; first += rows_at_once)
      write(group, t.states + item * t.width, position.row * t.rows + first, position.column,
            static_cast<int>(smaller<int64_t>(rows_at_once, t.rows - first)));
  }

 private:
  /// `count` rows from `row` on.
  template <class Group>
  SEQ2SEQ_DEVICE void write(const Group& group, const Scalar* state, int64_t row, int64_t position,
                            int count) const {
    Scalar sums[rows_at_once] = {};
    SEQ2SEQ_UNROLL
    for (int64_t i = group.rank(); i < t.width; i += group.size()) {
      const Scalar value = state[i];
      for (int r = 0; r < rows_at_once; ++r)
        if (r < count) sums[r] += t.factor[(row + r) * t.width + i] * value;
    }
    for (int r = 0; r < rows_at_once; ++r) {
      if (r >= count) break;
      const Scalar product = group.sum(sums[r]);
      if (group.rank() == 0) t.products[(row + r) * t.length + position] = product;
    }
  }
};

/// One column of some rows of one sentence a thread: sums over all positions.
template <class Scalar>
struct WeightedStatesColumn {
  StatesTerms<Scalar> t;

  static int64_t count(const StatesTerms<Scalar>& t) {
    return t.sentences * tiles_of(t.rows, rows_at_once) * t.width;
  }

  SEQ2SEQ_DEVICE void operator()(int64_t item) const {
    const Place place = place_of(item, t.width), tile = place_of(place.row, tiles_of(t.rows, rows_at_once));
    const int64_t first = tile.column * rows_at_once, row = tile.row * t.rows + first, i = place.column;
    const int count = static_cast<int>(smaller<int64_t>(rows_at_once, t.rows - first));
    const Scalar* states = t.states + tile.row * t.length * t.width + i;
    Scalar sums[rows_at_once] = {};
    SEQ2SEQ_UNROLL
    for (int64_t s = 0; s < t.length; ++s) {
      const Scalar value = states[s * t.width];
      for (int r = 0; r < rows_at_once; ++r)
        if (r < count) sums[r] += t.factor[(row + r) * t.length + s] * value;
    }
    for (int r = 0; r < rows_at_once; ++r)
      if (r < count) t.products[(row + r) * t.width + i] = sums[r];
  }
};

}  // namespace seq2seq::cuda
