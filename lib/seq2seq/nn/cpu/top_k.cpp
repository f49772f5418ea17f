#include "seq2seq/nn/cpu/loop_math.h"
#include "seq2seq/nn/cpu/loops.h"

namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET {
namespace {

template <class Scalar>
SEQ2SEQ_INLINE Scalar block_maximum(const Scalar* __restrict values, int64_t begin, int64_t vocabulary) {
  const int64_t end = smaller(begin + block_width, vocabulary);
  Scalar partial[lanes];
  for (int64_t lane = 0; lane < lanes; ++lane) partial[lane] = -infinity<Scalar>;
  int64_t i = begin;
  for (; i + lanes <= end; i += lanes)
    for (int64_t lane = 0; lane < lanes; ++lane)
      partial[lane] = values[i + lane] > partial[lane] ? values[i + lane] : partial[lane];
  for (; i < end; ++i) partial[0] = values[i] > partial[0] ? values[i] : partial[0];
  for (int64_t step = lanes / 2; step > 0; step /= 2)
    for (int64_t lane = 0; lane < step; ++lane)
      partial[lane] = partial[lane + step] > partial[lane] ? partial[lane + step] : partial[lane];
  return partial[0];
}

template <class Scalar>
SEQ2SEQ_INLINE int64_t first_maximum(const Scalar* values, int64_t begin, int64_t end) {
  int64_t best = begin;
  for (int64_t i = begin + 1; i < end; ++i)
    if (values[i] > values[best]) best = i;
  return best;
}

/// Mixes copying into a row: raises the logits of copied tokens and sets `beyond` [length] to the
/// log-probabilities of the slots beyond the vocabulary. A logit plus `shift` is a log-probability.
template <class Scalar>
SEQ2SEQ_INLINE void mix_copies(Scalar* logits, Scalar* block_peaks, Scalar* beyond, const Scalar* copied,
                               const int64_t* slots, int64_t length, Scalar shift, int64_t size) {
  for (int64_t p = 0; p < length; ++p) beyond[p] = 0;
  for (int64_t p = 0; p < length; ++p) {
    const int64_t slot = slots[p];
    if (slot >= size) {
      beyond[slot - size] += copied[p];
    } else if (slot >= 0 && copied[p] > 0) {
      logits[slot] = logarithm(exact_exponential(logits[slot] + shift) + copied[p]) - shift;
      Scalar& peak = block_peaks[slot / block_width];
      peak = larger(peak, logits[slot]);
    }
  }
  for (int64_t p = 0; p < length; ++p) beyond[p] = logarithm(beyond[p]);
}

/// Changes what the adjustments from `begin` to `end` name, and keeps the log-probabilities from before.
template <class Scalar>
SEQ2SEQ_INLINE void adjust(const AdjustedColumns<Scalar>& adjusted, int64_t begin, int64_t end,
                           Scalar* logits, Scalar* block_peaks, Scalar* beyond, Scalar shift, int64_t size) {
  for (int64_t a = begin; a < end; ++a) {
    const Adjustment& by = adjusted.all[a];
    const bool in_vocabulary = by.index < size;
    Scalar& value = in_vocabulary ? logits[by.index] : beyond[by.index - size];
    const Scalar before = value, log_probability = in_vocabulary ? before + shift : before;
    adjusted.log_probabilities[a] = log_probability;
    // 0 times minus infinity is not a number.
    const Scalar scaled = by.factor == 0 ? Scalar(0) : static_cast<Scalar>(by.factor) * log_probability;
    value = before + (scaled + static_cast<Scalar>(by.added));
    if (!in_vocabulary) continue;
    const int64_t block = by.index / block_width;
    if (value >= block_peaks[block])
      block_peaks[block] = value;
    else if (before == block_peaks[block])
      block_peaks[block] = block_maximum(logits, block * block_width, size);
  }
}

/// Of the best columns, the log-probabilities without adjustments; those that are not possible stay so.
template <class Scalar>
SEQ2SEQ_INLINE void undo_adjustments(const AdjustedColumns<Scalar>& adjusted, int64_t begin, int64_t end,
                                     Scalar* log_probabilities, const int64_t* indices, int64_t k) {
  for (int64_t i = 0; i < k; ++i) {
    if (!(log_probabilities[i] > -infinity<Scalar>)) continue;
    for (int64_t a = begin; a < end; ++a)
      if (adjusted.all[a].index == indices[i]) log_probabilities[i] = adjusted.log_probabilities[a];
  }
}

/// One row: its best columns, `log_probabilities` and `indices` [k].
template <class Scalar>
SEQ2SEQ_INLINE void top_k_row(const TopKTerms<Scalar>& t, Scalar* __restrict logits,
                              Scalar* __restrict block_peaks, Scalar* __restrict beyond, int64_t row,
                              Scalar* __restrict log_probabilities, int64_t* __restrict indices) {
  const int64_t size = t.vocabulary, blocks = (size + block_width - 1) / block_width;
  const Columns& columns = t.columns;
  const Copies<Scalar>& copies = t.copies;
  for (int64_t b = 0; b < blocks; ++b) block_peaks[b] = block_maximum(logits, b * block_width, size);
  const Scalar peak = block_peaks[first_maximum(block_peaks, 0, blocks)];
  // Padding adds exactly 0, which `exponential` does not return, so that it changes no bit.
  const Scalar sum = lane_sum<Scalar>(size, [=](int64_t i) {
    return logits[i] == -infinity<Scalar> ? Scalar(0) : exponential(logits[i] - peak);
  });
  Scalar shift = -peak - logarithm(sum);
  if (copies.length > 0) {
    shift += logarithm(larger(copies.generated[row], copies.least_probability));
    mix_copies(logits, block_peaks, beyond, copies.copied + row * copies.length,
               copies.slots + row / copies.hypotheses * copies.length, copies.length, shift, size);
  }
  t.watched_value[row] = logits[columns.watched] + shift;
  const auto remove = [&](int64_t index) {
    logits[index] = -infinity<Scalar>;
    block_peaks[index / block_width] = block_maximum(logits, index / block_width * block_width, size);
  };
  for (int64_t i = 0; i < columns.banned_count; ++i) remove(columns.banned[i]);
  if (t.adjusted.begins != nullptr) {
    Scalar likeliest = block_peaks[first_maximum(block_peaks, 0, blocks)] + shift;
    for (int64_t p = 0; p < copies.length; ++p) likeliest = larger(likeliest, beyond[p]);
    t.adjusted.likeliest[row] = likeliest;
    adjust(t.adjusted, t.adjusted.begins[row], t.adjusted.begins[row + 1], logits, block_peaks, beyond, shift,
           size);
  }
  int64_t taken = 0;
  for (; taken < smaller(columns.k, size - columns.banned_count); ++taken) {
    const int64_t block = first_maximum(block_peaks, 0, blocks) * block_width;
    const int64_t best = first_maximum(logits, block, smaller(block + block_width, size));
    indices[taken] = best;
    log_probabilities[taken] = logits[best] + shift;
    remove(best);
  }
  for (int64_t p = 0; p < copies.length; ++p) {
    if (taken == columns.k && !(beyond[p] > log_probabilities[taken - 1])) continue;
    int64_t at = taken < columns.k ? taken++ : taken - 1;
    for (; at > 0 && beyond[p] > log_probabilities[at - 1]; --at) {
      log_probabilities[at] = log_probabilities[at - 1];
      indices[at] = indices[at - 1];
    }
    log_probabilities[at] = beyond[p];
    indices[at] = size + p;
  }
  if (t.adjusted.begins != nullptr)
    undo_adjustments(t.adjusted, t.adjusted.begins[row], t.adjusted.begins[row + 1], log_probabilities,
                     indices, columns.k);
}

template <class Scalar>
SEQ2SEQ_INLINE void rows_of(const TopKTerms<Scalar>& t, Scalar* block_peaks, Scalar* beyond, int64_t begin,
                            int64_t end) {
  for (int64_t r = begin; r < end; ++r)
    top_k_row(t, t.logits + r * t.vocabulary, block_peaks, beyond, r, t.log_probabilities + r * t.columns.k,
              t.indices + r * t.columns.k);
}

}  // namespace

void top_k(const TopKTerms<float>& terms, float* block_peaks, float* beyond, int64_t begin, int64_t end) {
  rows_of(terms, block_peaks, beyond, begin, end);
}
void top_k(const TopKTerms<double>& terms, double* block_peaks, double* beyond, int64_t begin, int64_t end) {
  rows_of(terms, block_peaks, beyond, begin, end);
}

}  // namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET
