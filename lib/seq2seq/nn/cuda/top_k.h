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
    Own own = read(group, logits);
    const Scalar shift = log_probability_less_logit(group, logits, own.peak, row);
    if (t.copies.length > 0) {
      mix_copies(group, logits, row, shift);
      own = read(group, logits);
    }
    if (group.rank() == 0) t.watched_value[row] = logits[t.columns.watched] + shift;
    const int64_t taken = smaller(t.columns.k, t.vocabulary - t.columns.banned_count);
    select(group, logits, row, taken, shift, own);
    if (t.copies.length > 0) insert_slots(group, row, taken);
  }

 private:
  static constexpr int columns_at_once = 4;  // whose logits are under way together

  /// What a thread knows of its own columns.
  struct Own {
    Scalar peak = -infinity<Scalar>();
    Candidate<Scalar> best = none(), second = none();  ///< of those that are not banned

    /// One that comes before `second`.
    SEQ2SEQ_DEVICE void keep(const Candidate<Scalar>& column) {
      const bool is_best = column.before(best);
      second = is_best ? best : column;
      if (is_best) best = column;
    }
  };
  SEQ2SEQ_DEVICE static Candidate<Scalar> none() { return {-infinity<Scalar>(), INT64_MAX}; }

  SEQ2SEQ_DEVICE bool is_banned(int64_t column) const {
    for (int64_t i = 0; i < t.columns.banned_count; ++i)
      if (banned[i] == column) return true;
    return false;
  }

  template <class Group>
  SEQ2SEQ_DEVICE Own read(const Group& group, const Scalar* logits) const {
    Own own;
    for (int64_t first = group.rank(); first < t.vocabulary; first += columns_at_once * group.size()) {
      Candidate<Scalar> columns[columns_at_once];
      for (int c = 0; c < columns_at_once; ++c) {
        const int64_t i = first + c * group.size();
        columns[c] = {i < t.vocabulary ? logits[i] : -infinity<Scalar>(), i};
      }
      for (int c = 0; c < columns_at_once; ++c) {
        own.peak = larger(own.peak, columns[c].value);
        if (columns[c].before(own.second) && columns[c].index < t.vocabulary && !is_banned(columns[c].index))
          own.keep(columns[c]);
      }
    }
    return own;
  }

  /// What makes a log-probability of a logit.
  template <class Group>
  SEQ2SEQ_DEVICE Scalar log_probability_less_logit(const Group& group, const Scalar* logits, Scalar own_peak,
                                                   int64_t row) const {
    const Scalar peak = group.maximum(own_peak);
    Scalar sum = 0;
    SEQ2SEQ_UNROLL
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

  /// The `count` best logits. Each thread offers the best of its own columns that has not been taken, and reads
  /// them again only when both that it knows have been.
  template <class Group>
  SEQ2SEQ_DEVICE void select(const Group& group, const Scalar* logits, int64_t row, int64_t count,
                             Scalar shift, Own own) const {
    for (int64_t taken = 0; taken < count; ++taken) {
      const Candidate<Scalar> best = group.best(own.best);
      const bool found = best.index < t.vocabulary;  // not in a row that holds no numbers
      if (group.rank() == 0) {
        t.indices[row * t.columns.k + taken] = found ? best.index : 0;
        t.log_probabilities[row * t.columns.k + taken] =
            found ? best.value + shift : static_cast<Scalar>(NAN);
      }
      if (!found || best.index != own.best.index || taken + 1 == count) continue;
      own.best = own.second.index < t.vocabulary ? own.second : best_after(group, logits, best);
      own.second = none();
    }
  }

  /// The best of this thread's columns that come after `last`.
  template <class Group>
  SEQ2SEQ_DEVICE Candidate<Scalar> best_after(const Group& group, const Scalar* logits,
                                              const Candidate<Scalar>& last) const {
    Candidate<Scalar> best = none();
    SEQ2SEQ_UNROLL
    for (int64_t i = group.rank(); i < t.vocabulary; i += group.size()) {
      const Candidate<Scalar> column{logits[i], i};
      if (last.before(column) && column.before(best) && !is_banned(i)) best = column;
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
