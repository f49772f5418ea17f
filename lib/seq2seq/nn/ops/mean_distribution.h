#pragma once

#include <vector>

#include "seq2seq/nn/engine/step_kernels.h"
#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// The log-probabilities [N, W] of the mean of several distributions, given by theirs: [N, W] or [N, fewer], where the columns
/// that are missing have probability 0. Without a graph each row of float32 on a CPU depends on its own rows alone, bit for
/// bit, and not on how many columns of probability 0 follow, which does not hold for LibTorch's vectorized loops.
Tensor mean_distribution(DistributionMean kind, const std::vector<Tensor>& log_probabilities);

}  // namespace seq2seq
