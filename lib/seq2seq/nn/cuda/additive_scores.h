#pragma once

// Scores of additive attention and their gradients. No sum depends on the order in which threads run.

#include "seq2seq/nn/cuda/group.h"

namespace seq2seq::cuda {

/// Hypotheses for which one reading of a key serves.
constexpr int hypotheses_at_once = 4;

/// The argument of tanh.
template <class Scalar>
SEQ2SEQ_DEVICE Scalar compared(const kernels::AdditiveTerms<Scalar>& t, Scalar key, int64_t row,
                               Scalar so_far, int64_t i) {
  const Scalar sum = key + t.query[row * t.width + i];
  return t.coverage == nullptr ? sum : sum + so_far * t.coverage_weight[i];
}

/// One position of the source, a warp each: the scores of all hypotheses.
template <class Scalar>
struct AdditiveScoresPosition {
  kernels::AdditiveTerms<Scalar> t;
  Scalar* scores;

  template <class Group>
  SEQ2SEQ_DEVICE void operator()(const Group& group, int64_t item) const {
    const Place position = place_of(item, t.length);
    for (int64_t first = 0; first < t.hypotheses; first += hypotheses_at_once)
      write(group, position, position.row * t.hypotheses + first,
            static_cast<int>(smaller<int64_t>(hypotheses_at_once, t.hypotheses - first)));
  }

 private:
  template <class Group>
  SEQ2SEQ_DEVICE void write(const Group& group, const Place& position, int64_t row, int count) const {
    const int64_t state = position.row * t.length + position.column;
    Scalar sums[hypotheses_at_once] = {}, so_far[hypotheses_at_once] = {};
    if (t.mask[state]) {
      for (int h = 0; h < hypotheses_at_once; ++h)
        if (t.coverage != nullptr && h < count)
          so_far[h] = t.coverage[(row + h) * t.length + position.column];
      for (int64_t i = group.rank(); i < t.width; i += group.size()) {
        const Scalar key = t.keys[state * t.width + i], v = t.v[i];
        for (int h = 0; h < hypotheses_at_once; ++h)
          if (h < count) sums[h] += v * tangent(compared(t, key, row + h, so_far[h], i));
      }
    }
    for (int h = 0; h < hypotheses_at_once; ++h) {
      if (h >= count) break;
      const Scalar score = group.sum(sums[h]);
      if (group.rank() == 0) scores[(row + h) * t.length + position.column] = score;
    }
  }
};

/// One position of the source, a warp each: the gradients of the coverage.
template <class Scalar>
struct AdditiveCoverageGradient {
  kernels::AdditiveTerms<Scalar> t;
  const Scalar* score_gradient;
  Scalar* coverage_gradient;

  template <class Group>
  SEQ2SEQ_DEVICE void operator()(const Group& group, int64_t item) const {
    const Place position = place_of(item, t.length);
    for (int64_t h = 0; h < t.hypotheses; ++h) {
      const int64_t row = position.row * t.hypotheses + h, place = row * t.length + position.column;
      Scalar sum = 0;
      if (t.mask[item])
        for (int64_t i = group.rank(); i < t.width; i += group.size()) {
          const Scalar x = tangent(compared(t, t.keys[item * t.width + i], row, t.coverage[place], i));
          sum += t.v[i] * (1 - x * x) * t.coverage_weight[i];
        }
      sum = group.sum(sum);
      if (group.rank() == 0) coverage_gradient[place] = score_gradient[place] * sum;
    }
  }
};

/// The other gradients, for one column of one sentence a thread: no sum goes across threads. `most` hypotheses at
/// once; with one, as in training, fewer registers are needed.
template <int most, class Scalar>
struct AdditiveBackwardColumn {
  kernels::AdditiveTerms<Scalar> t;
  const Scalar* score_gradient;
  kernels::AdditiveGradients<Scalar> out;

  SEQ2SEQ_DEVICE void operator()(int64_t item) const {
    const Place place = place_of(item, t.width);
    Sums sums;
    for (int64_t first = 0; first < t.hypotheses; first += most)
      add_hypotheses(place, first, static_cast<int>(smaller<int64_t>(most, t.hypotheses - first)), sums);
    out.v_rows[item] = sums.v;
    if (t.coverage != nullptr) out.coverage_weight_rows[item] = sums.coverage_weight;
  }

 private:
  struct Sums {
    Scalar v = 0, coverage_weight = 0;
  };

  /// `count` hypotheses from `first` on.
  SEQ2SEQ_DEVICE void add_hypotheses(const Place& place, int64_t first, int count, Sums& sums) const {
    const int64_t b = place.row, i = place.column, row = b * t.hypotheses + first;
    const Scalar v = t.v[i];
    Scalar dquery[most] = {};
    for (int64_t s = 0; s < t.length; ++s) {
      const int64_t state = b * t.length + s;
      if (!t.mask[state]) continue;
      const Scalar key = t.keys[state * t.width + i];
      Scalar dkey = 0;
      for (int h = 0; h < most; ++h) {
        if (h >= count) break;
        const int64_t at = (row + h) * t.length + s;
        const Scalar dscore = score_gradient[at], so_far = t.coverage == nullptr ? 0 : t.coverage[at];
        const Scalar x = tangent(compared(t, key, row + h, so_far, i));
        const Scalar share = dscore * v * (1 - x * x);
        dkey += share;
        dquery[h] += share;
        sums.v += dscore * x;
        sums.coverage_weight += share * so_far;
      }
      out.keys[state * t.width + i] += dkey;
    }
    for (int h = 0; h < most; ++h)
      if (h < count) out.query[(row + h) * t.width + i] = dquery[h];
  }
};

}  // namespace seq2seq::cuda
