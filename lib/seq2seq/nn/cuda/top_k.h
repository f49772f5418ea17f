#pragma once

// The best columns of rows of logits, copying included: one row a block.

#include "seq2seq/nn/cuda/group.h"

namespace seq2seq::cuda {

/// Columns that can be banned at once.
constexpr int64_t most_banned = 32;
/// Slots beyond the vocabulary whose values are kept in shared memory at a time.
constexpr int64_t slots_at_once = 1024;

template <class Scalar>
struct TopKRow {
  kernels::TopKTerms<Scalar> t;  ///< its list of banned columns is `banned` below
  int64_t banned[most_banned];

  template <class Group>
  SEQ2SEQ_DEVICE void operator()(const Group& group, int64_t row) const {
    Scalar* logits = t.logits + row * t.vocabulary;
    const Scalar shift = log_probability_less_logit(group, logits, row);
    if (t.copies.length > 0) mix_copies(group, logits, row, shift);
    if (group.rank() == 0) t.watched_value[row] = logits[t.columns.watched] + shift;
    group.sync();
    // What compares false with everything is never found.
    for (int64_t i = group.rank(); i < t.columns.banned_count; i += group.size())
      logits[banned[i]] = static_cast<Scalar>(NAN);
    group.sync();
    const int64_t taken = smaller(t.columns.k, t.vocabulary - t.columns.banned_count);
    select(group, logits, row, taken, shift);
    if (t.copies.length > 0) insert_slots(group, row, taken);
  }

 private:
  /// What makes a log-probability of a logit.
  template <class Group>
  SEQ2SEQ_DEVICE Scalar log_probability_less_logit(const Group& group, const Scalar* logits,
                                                   int64_t row) const {
    Scalar peak = -infinity<Scalar>();
    for (int64_t i = group.rank(); i < t.vocabulary; i += group.size()) peak = larger(peak, logits[i]);
    peak = group.maximum(peak);
    Scalar sum = 0;
    for (int64_t i = group.rank(); i < t.vocabulary; i += group.size()) sum += exponential(logits[i] - peak);
    const Scalar shift = -peak - logarithm(group.sum(sum));
    if (t.copies.length == 0) return shift;
    return shift + logarithm(larger(t.copies.generated[row], t.copies.least_probability));
  }

  SEQ2SEQ_DEVICE const int64_t* slots_of(int64_t row) const {
    return t.copies.slots + row / t.copies.hypotheses * t.copies.length;
  }

  /// Probability of copying from all positions from `first` on whose slot is `slot`.
  SEQ2SEQ_DEVICE Scalar copied_probability(const Scalar* copied, const int64_t* slots, int64_t slot,
                                           int64_t first) const {
    Scalar sum = 0;
    for (int64_t p = first; p < t.copies.length; ++p)
      if (slots[p] == slot && copied[p] > 0) sum += copied[p];
    return sum;
  }

  /// Raises the logits of copied tokens; the first of several positions of a token does so for all of them.
  template <class Group>
  SEQ2SEQ_DEVICE void mix_copies(const Group& group, Scalar* logits, int64_t row, Scalar shift) const {
    const int64_t* slots = slots_of(row);
    const Scalar* copied = t.copies.copied + row * t.copies.length;
    for (int64_t p = group.rank(); p < t.copies.length; p += group.size()) {
      const int64_t slot = slots[p];
      if (slot < 0 || slot >= t.vocabulary) continue;
      bool first = true;
      for (int64_t earlier = 0; first && earlier < p; ++earlier) first = slots[earlier] != slot;
      const Scalar probability = first ? copied_probability(copied, slots, slot, p) : Scalar(0);
      if (probability > 0) logits[slot] = logarithm(exponential(logits[slot] + shift) + probability) - shift;
    }
    group.sync();
  }

  /// The `count` best logits. Each thread keeps the best of its own columns that have not been taken, and looks
  /// for another one only when that has been taken.
  template <class Group>
  SEQ2SEQ_DEVICE void select(const Group& group, const Scalar* logits, int64_t row, int64_t count,
                             Scalar shift) const {
    Candidate<Scalar> own = best_after(group, logits, {infinity<Scalar>(), -1});
    for (int64_t taken = 0; taken < count; ++taken) {
      const Candidate<Scalar> best = group.best(own);
      const bool found = best.index < t.vocabulary;  // not in a row that holds no numbers
      if (group.rank() == 0) {
        t.indices[row * t.columns.k + taken] = found ? best.index : 0;
        t.log_probabilities[row * t.columns.k + taken] =
            found ? best.value + shift : static_cast<Scalar>(NAN);
      }
      if (found && best.index % group.size() == group.rank()) own = best_after(group, logits, best);
    }
  }

  /// The best of this thread's columns that come after `last`.
  template <class Group>
  SEQ2SEQ_DEVICE Candidate<Scalar> best_after(const Group& group, const Scalar* logits,
                                              const Candidate<Scalar>& last) const {
    Candidate<Scalar> best{-infinity<Scalar>(), INT64_MAX};
    for (int64_t i = group.rank(); i < t.vocabulary; i += group.size()) {
      const Candidate<Scalar> column{logits[i], i};
      if (last.before(column) && column.before(best)) best = column;
    }
    return best;
  }

  /// Puts the slots beyond the vocabulary among the `taken` best columns.
  template <class Group>
  SEQ2SEQ_DEVICE void insert_slots(const Group& group, int64_t row, int64_t taken) const {
    const int64_t* slots = slots_of(row);
    const Scalar* copied = t.copies.copied + row * t.copies.length;
    Scalar* values = group.template shared<Scalar>();
    for (int64_t first = 0; first < t.copies.length; first += slots_at_once) {
      const int64_t count = smaller(slots_at_once, t.copies.length - first);
      for (int64_t p = group.rank(); p < count; p += group.size())
        values[p] = logarithm(copied_probability(copied, slots, t.vocabulary + first + p, 0));
      group.sync();
      if (group.rank() == 0)
        for (int64_t p = 0; p < count; ++p)
          taken = inserted({values[p], t.vocabulary + first + p}, row, taken);
      group.sync();
    }
  }

  /// Returns how many are taken then.
  SEQ2SEQ_DEVICE int64_t inserted(const Candidate<Scalar>& slot, int64_t row, int64_t taken) const {
    Scalar* values = t.log_probabilities + row * t.columns.k;
    int64_t* indices = t.indices + row * t.columns.k;
    if (taken == t.columns.k && !(slot.value > values[taken - 1])) return taken;
    const int64_t last = taken < t.columns.k ? taken : taken - 1;
    int64_t at = last;
    for (; at > 0 && slot.value > values[at - 1]; --at) {
      values[at] = values[at - 1];
      indices[at] = indices[at - 1];
    }
    values[at] = slot.value;
    indices[at] = slot.index;
    return last + 1;
  }
};

}  // namespace seq2seq::cuda
