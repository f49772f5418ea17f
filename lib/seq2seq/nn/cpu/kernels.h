#pragma once

#include <cstdint>

#include "seq2seq/nn/cpu/loops.h"

// The loops of loops.h over all rows, shared out among threads, by the instruction set in use; the number of
// threads never changes a result. For float and double. Private to nn.

namespace seq2seq::kernels {

template <class Scalar>
void lstm_forward(const LstmForward<Scalar>& terms, int64_t rows);
template <class Scalar>
void lstm_backward(const LstmBackward<Scalar>& terms, int64_t rows);

/// scores[b, k, s] = sum_h v[h] tanh(keys[b, s, h] + query[b, k, h] + coverage[b, k, s] coverage_weight[h]),
/// 0 where the mask is false.
template <class Scalar>
void additive_scores(const AdditiveTerms<Scalar>& terms, Scalar* scores);
template <class Scalar>
void additive_scores_backward(const AdditiveTerms<Scalar>& terms, const Scalar* score_gradient,
                              const AdditiveGradients<Scalar>& gradients);

template <class Scalar>
void cross_entropy(const CrossEntropy<Scalar>& terms, int64_t rows);

template <class Scalar>
void top_k(const TopKTerms<Scalar>& terms, int64_t rows);

/// uniform[i] in [0, 1), multiples of 2^-24.
void uniform(const Draw& draw, float* numbers, int64_t count);
/// y[i] = x[i] times 0 with probability `p`, else 1/(1-p); null x: ones.
template <class Scalar>
void dropout(const Draw& draw, double p, const Scalar* x, Scalar* y, int64_t count);

/// weights [b, h, q, s] = softmax over s of scale queries keys^T, before dropout; context [b, q, h, d] =
/// (weights dropout) values.
template <class Scalar>
void attend(const HeadTerms<Scalar>& terms, Scalar* weights, Scalar* context);
template <class Scalar>
void attend_backward(const HeadTerms<Scalar>& terms, const Scalar* weights, const Scalar* context_gradient,
                     const HeadGradients<Scalar>& gradients);

}  // namespace seq2seq::kernels
