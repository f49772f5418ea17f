#pragma once

#include <vector>

#include "seq2seq/nn/copy.h"
#include "seq2seq/nn/shapes.h"

namespace seq2seq {

struct TopK {
  Tensor log_probabilities;  ///< [N, k], best first
  Tensor indices;            ///< [N, k] int64
  Tensor watched;            ///< [N] log-probability of the watched index, banned or not
};

/// The k most probable indices of each row under softmax(logits [N, V]), excluding `banned` ones, which keep
/// their share of the probability. Overwrites `logits`. CPU kernels return equal values by ascending index.
TopK top_k_log_softmax(const Tensor& logits, int64_t k, const std::vector<int64_t>& banned, int64_t watched);

/// The same under the mixture with copying (nn/copy.h), slots beyond the vocabulary included: shares [N, 1]
/// and [N, S], slots [B, S], where N = B * K and the rows of a sentence are adjacent.
TopK top_k_mixture(const Tensor& logits, const CopyShares& shares, const Tensor& slots, int64_t k,
                   const std::vector<int64_t>& banned, int64_t watched);

}  // namespace seq2seq
