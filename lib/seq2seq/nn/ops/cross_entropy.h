#pragma once

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// Sums over the given rows; divide by the number of target tokens of the whole update.
struct LossSums {
  Tensor loss;                     ///< scalar, with label smoothing: the training objective
  Tensor negative_log_likelihood;  ///< scalar, without smoothing or gradient: for perplexity
};

/// Mixture of generation and copying (See et al. 2017, eq. 9):
///   p(target) = generated * softmax(features W^T + b) [target] + copied
/// Both undefined: no copying.
struct CopyMixture {
  Tensor generated;  ///< [R] share of the vocabulary distribution
  Tensor copied;     ///< [R] probability of copying the target
};

/// Lower bound of mixture probabilities: a target that can be neither generated nor copied has a finite loss.
inline constexpr double least_probability = 1e-30;

/// Vocabulary projection, log-softmax and label-smoothed cross entropy (Szegedy et al. 2016) in one function:
///   loss = sum over rows of (1-e) (-log p(target)) + e mean_v (-log P(v)),  P = softmax(features W^T + b)
/// and p = P, or the mixture. features [R, H] of non-padding target positions, weight [V, H], bias [V] or
/// undefined, targets [R] int64; with a mixture, V or more stands for a token that can only be copied.
/// Kernels process blocks of rows and compute the gradient in the same pass, so that [R, V] is never stored
/// as a whole; the plain version stores it.
LossSums projected_cross_entropy(const Tensor& features, const Tensor& weight, const Tensor& bias,
                                 const Tensor& targets, double smoothing, const CopyMixture& mixture = {});

}  // namespace seq2seq
