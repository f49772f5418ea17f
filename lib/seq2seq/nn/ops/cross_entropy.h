#pragma once

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// Sums over the rows that were given; divide by the tokens of the whole update.
struct LossSums {
  Tensor loss;                     ///< scalar, with label smoothing: what is minimised
  Tensor negative_log_likelihood;  ///< scalar, without it and without gradient: what perplexity is made of
};

/// What the probability of each target is mixed from when words can be copied (See et al. 2017, eq. 9):
///   p(target) = generated * softmax(features W^T + b) [target] + copied
/// Undefined: only the vocabulary writes.
struct CopyMixture {
  Tensor generated;  ///< [R] the share of the vocabulary
  Tensor copied;     ///< [R] what copying gives to the target
};

/// Probabilities below this count as this in mixtures: what copying and vocabulary leave out of reach keeps a
/// finite loss.
inline constexpr double least_probability = 1e-30;

/// Vocabulary projection, log-softmax and label-smoothed cross entropy (Szegedy et al. 2016) in one function:
///   loss = sum over rows of (1-e) (-log p(target)) + e mean_v (-log P(v)),  P = softmax(features W^T + b)
/// and p = P, or the mixture. features [R, H] of real target positions only, weight [V, H], bias [V] or
/// undefined, targets [R] int64; with a mixture, V or more stands for a word that only copying writes.
/// Works through the rows in blocks and makes the gradient on
/// the way, so that [R, V] never exists as a whole.
LossSums projected_cross_entropy(const Tensor& features, const Tensor& weight, const Tensor& bias,
                                 const Tensor& targets, double smoothing, const CopyMixture& mixture = {});

}  // namespace seq2seq
