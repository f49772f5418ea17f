#pragma once

#include <cstdint>

// Row-wise loops behind the fused functions, on raw row-major arrays, for float and double. Private to nn.
// They are compiled several times for x86-64 levels and chosen at start-up; the number of threads never
// changes a result.

namespace seq2seq::kernels {

/// One LSTM cell. gates [rows, 4H]: the sum of both products, in torch's order input, forget, cell, output;
/// overwritten by the activated gates, which backward needs.
template <class Scalar>
void lstm_forward(Scalar* gates, const Scalar* cell_before, Scalar* hidden, Scalar* cell, int64_t rows,
                  int64_t width);

/// activated [rows, 4H] as forward left it -> gate_gradient [rows, 4H], cell_before_gradient [rows, H].
template <class Scalar>
void lstm_backward(const Scalar* activated, const Scalar* cell_before, const Scalar* cell,
                   const Scalar* hidden_gradient, const Scalar* cell_gradient, Scalar* gate_gradient,
                   Scalar* cell_before_gradient, int64_t rows, int64_t width);

/// What additive attention compares. Null pointers: no coverage.
template <class Scalar>
struct AdditiveTerms {
  const Scalar *keys, *query, *v;                                // [b, s, h], [b, k, h], [h]
  const Scalar *coverage = nullptr, *coverage_weight = nullptr;  // [b, k, s], [h]
  const bool* mask;                                              // [b, s]
  int64_t sentences, hypotheses, length, width;
};

/// scores[b, k, s] = sum_h v[h] tanh(keys[b, s, h] + query[b, k, h] + coverage[b, k, s] coverage_weight[h]),
/// 0 where the mask is false.
template <class Scalar>
void additive_scores(const AdditiveTerms<Scalar>& terms, Scalar* scores);

template <class Scalar>
struct AdditiveGradients {
  Scalar* keys;                                                 // added to
  Scalar *query, *v_rows;                                       // [b, k, h]; [b, h] to be summed over b
  Scalar *coverage = nullptr, *coverage_weight_rows = nullptr;  // [b, k, s]; [b, h]; unused without coverage
};
template <class Scalar>
void additive_scores_backward(const AdditiveTerms<Scalar>& terms, const Scalar* score_gradient,
                              const AdditiveGradients<Scalar>& gradients);

/// What a row of the loss is mixed from (See et al. 2017): p = generated * softmax(logits) [target] + copied.
/// Null pointers: generated = 1, copied = 0.
template <class Scalar>
struct Mixture {
  const Scalar *generated = nullptr, *copied = nullptr;              // [rows]
  Scalar *generated_gradient = nullptr, *copied_gradient = nullptr;  // [rows], written when gradients are
};

/// Probabilities below this count as this: what copying and vocabulary leave out of reach keeps a finite
/// loss.
inline constexpr double least_probability = 1e-30;

/// Label-smoothed cross entropy of each row of logits [rows, V] (Szegedy et al. 2016): loss[row] =
/// (1-e) (-log p) + e mean_v (-log softmax_v); nll[row] = -log p. A target of V or more is no word of the
/// vocabulary: only copying writes it. When `gradient`, the logits are overwritten by d(sum of
/// losses)/d(logits).
template <class Scalar>
void cross_entropy(Scalar* logits, const int64_t* targets, const Mixture<Scalar>& mixture, Scalar smoothing,
                   bool gradient, Scalar* loss, Scalar* nll, int64_t rows, int64_t vocabulary);

/// What copying adds to the rows of search: the probability generated * softmax(logits)[v] of a word v, plus
/// copied[p] for each position p with slots[p] = v; slot V + i stands alone. Null pointers: no copying.
template <class Scalar>
struct Copies {
  const Scalar *generated = nullptr, *copied = nullptr;  // [rows], [rows, length]
  const int64_t* slots = nullptr;                        // [rows / hypotheses, length], -1 = nothing to copy
  int64_t length = 0, hypotheses = 1;
};

/// Which columns may be taken, and which one is looked at in any case.
struct Columns {
  int64_t k;
  const int64_t* banned;
  int64_t banned_count, watched;
};

/// The k best columns of each row of logits [rows, V], slots beyond V included, best first, equal ones in the
/// order of their indices, and the logarithms of their probabilities; never one of `banned`.
/// watched_value[row] = that of the column `watched`. Overwrites the logits.
template <class Scalar>
void top_k(Scalar* logits, const Columns& columns, const Copies<Scalar>& copies, Scalar* log_probabilities,
           int64_t* indices, Scalar* watched_value, int64_t rows, int64_t vocabulary);

/// Numbers of one draw: element i is a function of `low`, `high` and i alone.
struct Draw {
  uint32_t low, high;
};

/// uniform[i] in [0, 1), multiples of 2^-24.
void uniform(const Draw& draw, float* numbers, int64_t count);

/// y[i] = x[i] times 0 with probability `p`, else 1/(1-p); null x: ones.
template <class Scalar>
void dropout(const Draw& draw, double p, const Scalar* x, Scalar* y, int64_t count);

/// Where element [b, h, t, 0] of a tensor lies; those of one position stand together.
struct HeadStrides {
  int64_t sentence, head, position;
};

/// Multi-head attention: queries [b, h, q, d], keys and values [b, h, s, d]. Null mask: every position may be
/// seen; causal: query q sees s <= q. `dropout` [b, h, q, s]: factors of the weights, or null.
template <class Scalar>
struct HeadTerms {
  const Scalar *queries, *keys, *values;
  HeadStrides query_strides, key_strides, value_strides;
  const bool* mask = nullptr;  // [b, s]
  const Scalar* dropout = nullptr;
  bool causal = false;
  Scalar scale;
  int64_t sentences, heads, query_count, length, width;
};

/// weights [b, h, q, s] = softmax over s of scale queries keys^T, before dropout; context [b, q, h, d] =
/// (weights dropout) values.
template <class Scalar>
void attend(const HeadTerms<Scalar>& terms, Scalar* weights, Scalar* context);

/// All three laid out as [b, t, h, d], written.
template <class Scalar>
struct HeadGradients {
  Scalar *queries, *keys, *values;
};
template <class Scalar>
void attend_backward(const HeadTerms<Scalar>& terms, const Scalar* weights, const Scalar* context_gradient,
                     const HeadGradients<Scalar>& gradients);

}  // namespace seq2seq::kernels
