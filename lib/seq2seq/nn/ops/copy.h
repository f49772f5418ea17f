#pragma once

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

// Pointer-generator (See et al. 2017, eq. 9) over the V tokens of the target vocabulary and the S source
// positions of a sentence: slot v < V is a vocabulary token, slot V + i is a source token that the target
// vocabulary lacks and that first occurs at position i.

/// The slot of each source position, [B, S] int64, -1 where nothing can be copied. ids [B, S]: a token
/// outside the source vocabulary (of `source_vocabulary` tokens) has an id beyond it, distinct per token
/// within a sentence. table [source_vocabulary] maps source ids to target ids, -1 = not in the target
/// vocabulary. `copyable` [B, S] bool.
Tensor copy_slots(const Tensor& ids, const Tensor& copyable, const Tensor& table, int64_t source_vocabulary,
                  int64_t target_vocabulary);

/// Shares of generation and of copying from each source position; together they sum to 1.
struct CopyShares {
  Tensor generated;  ///< [..., 1]
  Tensor copied;     ///< [..., S], 0 where nothing can be copied
};

/// gate [..., 1] is the logit of p_gen, attention [..., S] sums to 1, slots [..., S]. Attention to positions
/// that cannot be copied (</s>) counts as generation, so that the shares need no renormalization:
///   copied = (1 - p_gen) attention at copyable positions
///   generated = p_gen + (1 - p_gen) (sum of attention elsewhere)
/// Where attention sums to less than 1, gate [..., 2] holds the remainder in its second column; it counts
/// as attention elsewhere.
CopyShares copy_shares(const Tensor& gate, const Tensor& attention, const Tensor& slots);

/// Probability of copying each target: CopyShares::copied [B, T, S], slots [B, S], targets [B, T] -> [B, T].
Tensor copied_probability(const Tensor& copied, const Tensor& slots, const Tensor& targets);

/// Log-probabilities of the mixture over all slots: log_probabilities [N, V] of the vocabulary alone,
/// generated [N, 1], copied [N, S], slots [N, S] -> [N, V + S].
Tensor mixed_log_probabilities(const Tensor& log_probabilities, const CopyShares& shares,
                               const Tensor& slots);

}  // namespace seq2seq
