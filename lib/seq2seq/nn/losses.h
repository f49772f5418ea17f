#pragma once

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// Sums over the rows that were given; divide by the tokens of the whole update.
struct LossSums {
  Tensor loss;                     ///< scalar, with label smoothing: what is minimised
  Tensor negative_log_likelihood;  ///< scalar, without it and without gradient: what perplexity is made of
};

/// Vocabulary projection, log-softmax and label-smoothed cross entropy (Szegedy et al. 2016) in one function:
///   loss = sum over rows of (1-e) (-log p(target)) + e mean_v (-log p(v)),  p = softmax(features W^T + b)
/// features [R, H] of real target positions only, weight [V, H], bias [V] or undefined, targets [R] int64.
/// Works through the rows in blocks and makes the gradient on the way, so that [R, V] never exists as a
/// whole.
LossSums projected_cross_entropy(const Tensor& features, const Tensor& weight, const Tensor& bias,
                                 const Tensor& targets, double smoothing);

}  // namespace seq2seq
