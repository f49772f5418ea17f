#include "seq2seq/nn/kernels.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "seq2seq/nn/kernel_math.h"

namespace seq2seq::kernels {
namespace {

template <class Scalar>
SEQ2SEQ_INLINE void lstm_forward_row(Scalar* __restrict gates, const Scalar* __restrict before,
                                     Scalar* __restrict hidden, Scalar* __restrict cell, int64_t width) {
  Scalar *in = gates, *forget = gates + width, *candidate = gates + 2 * width, *out = gates + 3 * width;
  for (int64_t i = 0; i < width; ++i) {
    in[i] = sigmoid(in[i]);
    forget[i] = sigmoid(forget[i]);
    candidate[i] = tangent(candidate[i]);
    out[i] = sigmoid(out[i]);
    cell[i] = forget[i] * before[i] + in[i] * candidate[i];
    hidden[i] = out[i] * tangent(cell[i]);
  }
}

template <class Scalar>
SEQ2SEQ_INLINE void lstm_backward_row(const Scalar* __restrict gates, const Scalar* __restrict before,
                                      const Scalar* __restrict cell, const Scalar* __restrict dhidden,
                                      const Scalar* __restrict dcell, Scalar* __restrict dgates,
                                      Scalar* __restrict dbefore, int64_t width) {
  for (int64_t i = 0; i < width; ++i) {
    const Scalar in = gates[i], forget = gates[width + i], candidate = gates[2 * width + i],
                 out = gates[3 * width + i];
    const Scalar squashed = tangent(cell[i]);
    const Scalar dc = dcell[i] + dhidden[i] * out * (1 - squashed * squashed);
    dgates[i] = dc * candidate * in * (1 - in);
    dgates[width + i] = dc * before[i] * forget * (1 - forget);
    dgates[2 * width + i] = dc * in * (1 - candidate * candidate);
    dgates[3 * width + i] = dhidden[i] * squashed * out * (1 - out);
    dbefore[i] = dc * forget;
  }
}

template <bool covered, class Scalar>
SEQ2SEQ_INLINE void additive_scores_sentence(const AdditiveTerms<Scalar>& t, int64_t b, Scalar* scores) {
  for (int64_t s = 0; s < t.length; ++s)
    for (int64_t k = 0; k < t.hypotheses; ++k) {
      const int64_t row = b * t.hypotheses + k, place = row * t.length + s;
      const Scalar* __restrict key = t.keys + (b * t.length + s) * t.width;
      const Scalar* __restrict query = t.query + row * t.width;
      const Scalar* __restrict v = t.v;
      const Scalar* __restrict weight = t.coverage_weight;
      const Scalar so_far = covered ? t.coverage[place] : Scalar(0);
      scores[place] = !t.mask[b * t.length + s] ? Scalar(0) : lane_sum<Scalar>(t.width, [=](int64_t i) {
        return v[i] * tangent(covered ? key[i] + query[i] + so_far * weight[i] : key[i] + query[i]);
      });
    }
}

// One pair of state and hypothesis. `shares` [width] takes the gradient of what tanh was applied to.
template <bool covered, class Scalar>
SEQ2SEQ_INLINE void additive_backward_pair(const Scalar* __restrict key, const Scalar* __restrict query,
                                           const Scalar* __restrict v, const Scalar* __restrict weight,
                                           Scalar so_far, Scalar dscore, Scalar* __restrict dkey,
                                           Scalar* __restrict dquery, Scalar* __restrict dv,
                                           Scalar* __restrict dweight, Scalar* __restrict shares,
                                           int64_t width) {
  for (int64_t i = 0; i < width; ++i) {
    const Scalar x = tangent(covered ? key[i] + query[i] + so_far * weight[i] : key[i] + query[i]);
    const Scalar share = dscore * v[i] * (1 - x * x);
    dkey[i] += share;
    dquery[i] += share;
    dv[i] += dscore * x;
    if (covered) {
      dweight[i] += share * so_far;
      shares[i] = share;
    }
  }
}

template <bool covered, class Scalar>
SEQ2SEQ_INLINE void additive_backward_sentence(const AdditiveTerms<Scalar>& t, int64_t b,
                                               const Scalar* dscores, const AdditiveGradients<Scalar>& out,
                                               Scalar* shares) {
  for (int64_t s = 0; s < t.length; ++s)
    for (int64_t k = 0; k < t.hypotheses; ++k) {
      const int64_t state = b * t.length + s, row = b * t.hypotheses + k, place = row * t.length + s;
      if (covered) out.coverage[place] = 0;
      if (!t.mask[state]) continue;
      additive_backward_pair<covered>(
          t.keys + state * t.width, t.query + row * t.width, t.v, t.coverage_weight,
          covered ? t.coverage[place] : Scalar(0), dscores[place], out.keys + state * t.width,
          out.query + row * t.width, out.v_rows + b * t.width,
          covered ? out.coverage_weight_rows + b * t.width : nullptr, shares, t.width);
      if (covered)
        out.coverage[place] =
            lane_sum<Scalar>(t.width, [=](int64_t i) { return shares[i] * t.coverage_weight[i]; });
    }
}

template <class Scalar>
SEQ2SEQ_INLINE void cross_entropy_row(Scalar* __restrict logits, int64_t target,
                                      const Mixture<Scalar>& mixture, int64_t row, Scalar smoothing,
                                      bool gradient, Scalar* loss, Scalar* nll, int64_t size) {
  Scalar peak = logits[0];
  for (int64_t i = 1; i < size; ++i) peak = std::max(peak, logits[i]);
  const bool in_vocabulary = target < size;
  const Scalar target_logit = in_vocabulary ? logits[target] - peak : Scalar(0);
  const Scalar mean =
      lane_sum<Scalar>(size, [=](int64_t i) { return logits[i] - peak; }) / static_cast<Scalar>(size);
  if (gradient)
    for (int64_t i = 0; i < size; ++i) logits[i] = exponential(logits[i] - peak);
  const Scalar sum = gradient
                         ? lane_sum<Scalar>(size, [=](int64_t i) { return logits[i]; })
                         : lane_sum<Scalar>(size, [=](int64_t i) { return exponential(logits[i] - peak); });
  const Scalar log_sum = std::log(sum);
  Scalar from_vocabulary = 1;  // the share of the target's probability that the vocabulary gives
  if (mixture.generated == nullptr) {
    *nll = log_sum - target_logit;
  } else {
    const Scalar likely = in_vocabulary ? std::exp(target_logit - log_sum) : Scalar(0);
    const Scalar mixed =
        std::max(mixture.generated[row] * likely + mixture.copied[row], Scalar(least_probability));
    *nll = -std::log(mixed);
    from_vocabulary = mixture.generated[row] * likely / mixed;
    if (gradient) {
      mixture.generated_gradient[row] = (smoothing - 1) * likely / mixed;
      mixture.copied_gradient[row] = (smoothing - 1) / mixed;
    }
  }
  *loss = (1 - smoothing) * *nll + smoothing * (log_sum - mean);
  if (!gradient) return;
  const Scalar pull = (1 - smoothing) * from_vocabulary, scale = (pull + smoothing) / sum,
               floor = smoothing / static_cast<Scalar>(size);
  for (int64_t i = 0; i < size; ++i) logits[i] = logits[i] * scale - floor;
  if (in_vocabulary) logits[target] -= pull;
}

constexpr int64_t block_width = 64;  // columns whose maximum is remembered while the best are picked

template <class Scalar>
SEQ2SEQ_INLINE Scalar block_maximum(const Scalar* __restrict values, int64_t begin, int64_t vocabulary) {
  const int64_t end = std::min(begin + block_width, vocabulary);
  Scalar partial[lanes];
  for (int64_t lane = 0; lane < lanes; ++lane) partial[lane] = -std::numeric_limits<Scalar>::infinity();
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

/// Mixes copying into a row: logits of copied words rise, `beyond` [length] takes the logarithms of the slots
/// behind the vocabulary. `shift`: what makes a logit the logarithm of its probability.
template <class Scalar>
SEQ2SEQ_INLINE void mix_copies(Scalar* logits, Scalar* block_peaks, Scalar* beyond, const Scalar* copied,
                               const int64_t* slots, int64_t length, Scalar shift, int64_t size) {
  std::fill_n(beyond, length, Scalar(0));
  for (int64_t p = 0; p < length; ++p) {
    const int64_t slot = slots[p];
    if (slot >= size) {
      beyond[slot - size] += copied[p];
    } else if (slot >= 0 && copied[p] > 0) {
      logits[slot] = std::log(std::exp(logits[slot] + shift) + copied[p]) - shift;
      Scalar& peak = block_peaks[slot / block_width];
      peak = std::max(peak, logits[slot]);
    }
  }
  for (int64_t p = 0; p < length; ++p) beyond[p] = std::log(beyond[p]);
}

template <class Scalar>
SEQ2SEQ_INLINE void top_k_row(Scalar* __restrict logits, Scalar* __restrict block_peaks,
                              Scalar* __restrict beyond, const Columns& columns, const Copies<Scalar>& copies,
                              int64_t row, Scalar* __restrict log_probabilities, int64_t* __restrict indices,
                              Scalar* __restrict watched_value, int64_t size) {
  const int64_t blocks = (size + block_width - 1) / block_width;
  for (int64_t b = 0; b < blocks; ++b) block_peaks[b] = block_maximum(logits, b * block_width, size);
  const Scalar peak = block_peaks[first_maximum(block_peaks, 0, blocks)];
  const Scalar sum = lane_sum<Scalar>(size, [=](int64_t i) { return exponential(logits[i] - peak); });
  Scalar shift = -peak - std::log(sum);
  if (copies.length > 0) {
    shift += std::log(std::max(copies.generated[row], Scalar(least_probability)));
    mix_copies(logits, block_peaks, beyond, copies.copied + row * copies.length,
               copies.slots + row / copies.hypotheses * copies.length, copies.length, shift, size);
  }
  *watched_value = logits[columns.watched] + shift;
  const auto remove = [&](int64_t index) {
    logits[index] = -std::numeric_limits<Scalar>::infinity();
    block_peaks[index / block_width] = block_maximum(logits, index / block_width * block_width, size);
  };
  for (int64_t i = 0; i < columns.banned_count; ++i) remove(columns.banned[i]);
  int64_t taken = 0;
  for (; taken < std::min(columns.k, size - columns.banned_count); ++taken) {
    const int64_t block = first_maximum(block_peaks, 0, blocks) * block_width;
    const int64_t best = first_maximum(logits, block, std::min(block + block_width, size));
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
}

// target_clones needs plain functions, one for each scalar type, over a range of rows.
#define SEQ2SEQ_DEFINE(Scalar)                                                                              \
  SEQ2SEQ_CLONES void lstm_forward_rows(Scalar* gates, const Scalar* before, Scalar* hidden, Scalar* cell,  \
                                        int64_t begin, int64_t end, int64_t width) {                        \
    for (int64_t r = begin; r < end; ++r)                                                                   \
      lstm_forward_row(gates + r * 4 * width, before + r * width, hidden + r * width, cell + r * width,     \
                       width);                                                                              \
  }                                                                                                         \
  SEQ2SEQ_CLONES void lstm_backward_rows(const Scalar* gates, const Scalar* before, const Scalar* cell,     \
                                         const Scalar* dhidden, const Scalar* dcell, Scalar* dgates,        \
                                         Scalar* dbefore, int64_t begin, int64_t end, int64_t width) {      \
    for (int64_t r = begin; r < end; ++r) {                                                                 \
      const int64_t at = r * width;                                                                         \
      lstm_backward_row(gates + 4 * at, before + at, cell + at, dhidden + at, dcell + at, dgates + 4 * at,  \
                        dbefore + at, width);                                                               \
    }                                                                                                       \
  }                                                                                                         \
  SEQ2SEQ_CLONES void additive_scores_of(const AdditiveTerms<Scalar>& terms, Scalar* scores, int64_t begin, \
                                         int64_t end) {                                                     \
    for (int64_t b = begin; b < end; ++b)                                                                   \
      if (terms.coverage == nullptr)                                                                        \
        additive_scores_sentence<false>(terms, b, scores);                                                  \
      else                                                                                                  \
        additive_scores_sentence<true>(terms, b, scores);                                                   \
  }                                                                                                         \
  SEQ2SEQ_CLONES void additive_backward_of(const AdditiveTerms<Scalar>& terms, const Scalar* dscores,       \
                                           const AdditiveGradients<Scalar>& gradients, Scalar* shares,      \
                                           int64_t begin, int64_t end) {                                    \
    for (int64_t b = begin; b < end; ++b)                                                                   \
      if (terms.coverage == nullptr)                                                                        \
        additive_backward_sentence<false>(terms, b, dscores, gradients, shares);                            \
      else                                                                                                  \
        additive_backward_sentence<true>(terms, b, dscores, gradients, shares);                             \
  }                                                                                                         \
  SEQ2SEQ_CLONES void top_k_rows(Scalar* logits, Scalar* block_peaks, Scalar* beyond,                       \
                                 const Columns& columns, const Copies<Scalar>& copies,                      \
                                 Scalar* log_probabilities, int64_t* indices, Scalar* watched_value,        \
                                 int64_t begin, int64_t end, int64_t vocabulary) {                          \
    for (int64_t r = begin; r < end; ++r)                                                                   \
      top_k_row(logits + r * vocabulary, block_peaks, beyond, columns, copies, r,                           \
                log_probabilities + r * columns.k, indices + r * columns.k, watched_value + r, vocabulary); \
  }                                                                                                         \
  SEQ2SEQ_CLONES void cross_entropy_rows(                                                                   \
      Scalar* logits, const int64_t* targets, const Mixture<Scalar>& mixture, Scalar smoothing,             \
      bool gradient, Scalar* loss, Scalar* nll, int64_t begin, int64_t end, int64_t vocabulary) {           \
    for (int64_t r = begin; r < end; ++r)                                                                   \
      cross_entropy_row(logits + r * vocabulary, targets[r], mixture, r, smoothing, gradient, loss + r,     \
                        nll + r, vocabulary);                                                               \
  }
SEQ2SEQ_DEFINE(float)
SEQ2SEQ_DEFINE(double)
#undef SEQ2SEQ_DEFINE

}  // namespace

template <class Scalar>
void lstm_forward(Scalar* gates, const Scalar* cell_before, Scalar* hidden, Scalar* cell, int64_t rows,
                  int64_t width) {
  at::parallel_for(0, rows, grain(4 * width), [&](int64_t begin, int64_t end) {
    lstm_forward_rows(gates, cell_before, hidden, cell, begin, end, width);
  });
}

template <class Scalar>
void lstm_backward(const Scalar* activated, const Scalar* cell_before, const Scalar* cell,
                   const Scalar* hidden_gradient, const Scalar* cell_gradient, Scalar* gate_gradient,
                   Scalar* cell_before_gradient, int64_t rows, int64_t width) {
  at::parallel_for(0, rows, grain(4 * width), [&](int64_t begin, int64_t end) {
    lstm_backward_rows(activated, cell_before, cell, hidden_gradient, cell_gradient, gate_gradient,
                       cell_before_gradient, begin, end, width);
  });
}

template <class Scalar>
void additive_scores(const AdditiveTerms<Scalar>& terms, Scalar* scores) {
  at::parallel_for(0, terms.sentences, grain(terms.length * terms.hypotheses * terms.width),
                   [&](int64_t begin, int64_t end) { additive_scores_of(terms, scores, begin, end); });
}

template <class Scalar>
void additive_scores_backward(const AdditiveTerms<Scalar>& terms, const Scalar* score_gradient,
                              const AdditiveGradients<Scalar>& gradients) {
  const int64_t each = terms.sentences * terms.width;
  std::fill_n(gradients.query, each * terms.hypotheses, Scalar(0));
  std::fill_n(gradients.v_rows, each, Scalar(0));
  if (terms.coverage != nullptr) std::fill_n(gradients.coverage_weight_rows, each, Scalar(0));
  at::parallel_for(0, terms.sentences, grain(terms.length * terms.hypotheses * terms.width),
                   [&](int64_t begin, int64_t end) {
                     std::vector<Scalar> shares(static_cast<size_t>(terms.width));
                     additive_backward_of(terms, score_gradient, gradients, shares.data(), begin, end);
                   });
}

template <class Scalar>
void cross_entropy(Scalar* logits, const int64_t* targets, const Mixture<Scalar>& mixture, Scalar smoothing,
                   bool gradient, Scalar* loss, Scalar* nll, int64_t rows, int64_t vocabulary) {
  at::parallel_for(0, rows, grain(vocabulary), [&](int64_t begin, int64_t end) {
    cross_entropy_rows(logits, targets, mixture, smoothing, gradient, loss, nll, begin, end, vocabulary);
  });
}

template <class Scalar>
void top_k(Scalar* logits, const Columns& columns, const Copies<Scalar>& copies, Scalar* log_probabilities,
           int64_t* indices, Scalar* watched_value, int64_t rows, int64_t vocabulary) {
  at::parallel_for(0, rows, grain(vocabulary), [&](int64_t begin, int64_t end) {
    std::vector<Scalar> block_peaks(static_cast<size_t>((vocabulary + block_width - 1) / block_width));
    std::vector<Scalar> beyond(static_cast<size_t>(copies.length));
    top_k_rows(logits, block_peaks.data(), beyond.data(), columns, copies, log_probabilities, indices,
               watched_value, begin, end, vocabulary);
  });
}

#define SEQ2SEQ_INSTANTIATE(Scalar)                                                                        \
  template void lstm_forward(Scalar*, const Scalar*, Scalar*, Scalar*, int64_t, int64_t);                  \
  template void lstm_backward(const Scalar*, const Scalar*, const Scalar*, const Scalar*, const Scalar*,   \
                              Scalar*, Scalar*, int64_t, int64_t);                                         \
  template void additive_scores(const AdditiveTerms<Scalar>&, Scalar*);                                    \
  template void additive_scores_backward(const AdditiveTerms<Scalar>&, const Scalar*,                      \
                                         const AdditiveGradients<Scalar>&);                                \
  template void cross_entropy(Scalar*, const int64_t*, const Mixture<Scalar>&, Scalar, bool, Scalar*,      \
                              Scalar*, int64_t, int64_t);                                                  \
  template void top_k(Scalar*, const Columns&, const Copies<Scalar>&, Scalar*, int64_t*, Scalar*, int64_t, \
                      int64_t);
SEQ2SEQ_INSTANTIATE(float)
SEQ2SEQ_INSTANTIATE(double)

}  // namespace seq2seq::kernels
