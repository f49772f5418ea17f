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

/// The other gradients, for `Group::columns` columns of one sentence a block; its rows share the positions.
template <class Scalar>
struct AdditiveBackwardColumns {
  kernels::AdditiveTerms<Scalar> t;
  const Scalar* score_gradient;
  kernels::AdditiveGradients<Scalar> out;

  template <class Group>
  SEQ2SEQ_DEVICE void operator()(const Group& group, int64_t item) const {
    const Place place = place_of(item, tiles_of(t.width, Group::columns));
    const int64_t b = place.row, column = place.column * Group::columns + group.column();
    const bool inside = column < t.width;
    const int64_t i = inside ? column : 0;
    Scalar dv = 0, dweight = 0;
    for (int64_t first = 0; first < t.hypotheses; first += hypotheses_at_once) {
      const int count = static_cast<int>(smaller<int64_t>(hypotheses_at_once, t.hypotheses - first));
      Scalar dquery[hypotheses_at_once] = {};
      if (inside) add_positions(b, first, count, i, group.row(), Group::rows, dquery, dv, dweight);
      for (int h = 0; h < hypotheses_at_once; ++h) {
        if (h >= count) break;
        const Scalar sum = column_sum(group, dquery[h]);
        if (inside && group.row() == 0) out.query[(b * t.hypotheses + first + h) * t.width + i] = sum;
      }
    }
    dv = column_sum(group, dv);
    dweight = column_sum(group, dweight);
    if (!inside || group.row() != 0) return;
    out.v_rows[b * t.width + i] = dv;
    if (t.coverage != nullptr) out.coverage_weight_rows[b * t.width + i] = dweight;
  }

 private:
  /// Every `step`-th position, from `begin` on, of column i.
  SEQ2SEQ_DEVICE void add_positions(int64_t b, int64_t first, int count, int64_t i, int64_t begin,
                                    int64_t step, Scalar* dquery, Scalar& dv, Scalar& dweight) const {
    const Scalar v = t.v[i];
    for (int64_t s = begin; s < t.length; s += step) {
      const int64_t state = b * t.length + s;
      if (!t.mask[state]) continue;
      const Scalar key = t.keys[state * t.width + i];
      Scalar dkey = 0;
      for (int h = 0; h < hypotheses_at_once; ++h) {
        if (h >= count) break;
        const int64_t row = b * t.hypotheses + first + h, place = row * t.length + s;
        const Scalar dscore = score_gradient[place], so_far = t.coverage == nullptr ? 0 : t.coverage[place];
        const Scalar x = tangent(compared(t, key, row, so_far, i));
        const Scalar share = dscore * v * (1 - x * x);
        dkey += share;
        dquery[h] += share;
        dv += dscore * x;
        dweight += share * so_far;
      }
      out.keys[state * t.width + i] += dkey;
    }
  }

  template <class Group>
  SEQ2SEQ_DEVICE static Scalar column_sum(const Group& group, Scalar x) {
    Scalar* shared = group.template shared<Scalar>();
    shared[group.row() * Group::columns + group.column()] = x;
    group.sync();
    Scalar sum = 0;
    for (int row = 0; row < Group::rows; ++row) sum += shared[row * Group::columns + group.column()];
    group.sync();
    return sum;
  }
};

}  // namespace seq2seq::cuda
