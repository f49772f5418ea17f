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

/// scores[b, k, s] = sum_h v[h] tanh(keys[b, s, h] + query[b, k, h]), 0 where mask[b, s] is false.
template <class Scalar>
void additive_scores(const Scalar* keys, const Scalar* query, const Scalar* v, const bool* mask,
                     Scalar* scores, int64_t sentences, int64_t hypotheses, int64_t length, int64_t width);

/// Adds to keys_gradient [b, s, h]; writes query_gradient [b, k, h] and v_gradient_rows [b, h] (to be summed
/// over b).
template <class Scalar>
void additive_scores_backward(const Scalar* keys, const Scalar* query, const Scalar* v, const bool* mask,
                              const Scalar* score_gradient, Scalar* keys_gradient, Scalar* query_gradient,
                              Scalar* v_gradient_rows, int64_t sentences, int64_t hypotheses, int64_t length,
                              int64_t width);

/// Label-smoothed cross entropy of each row of logits [rows, V] (Szegedy et al. 2016): loss[row] =
/// (1-e) (-log p(target)) + e mean_v (-log p(v)); nll[row] = -log p(target). When `gradient`, the logits are
/// overwritten by d(sum of losses)/d(logits).
template <class Scalar>
void cross_entropy(Scalar* logits, const int64_t* targets, Scalar smoothing, bool gradient, Scalar* loss,
                   Scalar* nll, int64_t rows, int64_t vocabulary);

/// The k best columns of each row of logits [rows, V], best first, equal ones in the order of their indices,
/// and their log-softmax; never one of `banned`. watched_value[row] = log-softmax of the column `watched`.
/// Overwrites the logits.
template <class Scalar>
void top_k_log_softmax(Scalar* logits, int64_t k, const int64_t* banned, int64_t banned_count,
                       int64_t watched, Scalar* log_probabilities, int64_t* indices, Scalar* watched_value,
                       int64_t rows, int64_t vocabulary);

}  // namespace seq2seq::kernels
