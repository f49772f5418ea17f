#pragma once

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

// Pointer-generator (See et al. 2017, eq. 9) over V words and the S positions of a sentence's source: slot v
// < V is a word of the target vocabulary, slot V + i a source word that the vocabulary lacks and that first
// stands at i.

/// The slot of each source position, [B, S] int64, -1 where nothing can be copied. ids [B, S]: a word that
/// the source vocabulary (of `source_vocabulary` words) lacks is any id beyond it that is its own in the
/// sentence. table [source_vocabulary] holds each word's id in the target vocabulary, -1 for a word that it
/// lacks. `copyable` [B, S] bool.
Tensor copy_slots(const Tensor& ids, const Tensor& copyable, const Tensor& table, int64_t source_vocabulary,
                  int64_t target_vocabulary);

/// How much the vocabulary and each source position give: both sum to 1.
struct CopyShares {
  Tensor generated;  ///< [..., 1]
  Tensor copied;     ///< [..., S], 0 where nothing can be copied
};

/// gate [..., 1] is the logit of p_gen, attention [..., S] sums to 1, slots [..., S]. What attention gives to
/// places that cannot be copied (</s>) generates too, so that nothing is lost or divided:
///   copied = (1 - p_gen) attention at places to copy,  generated = p_gen + (1 - p_gen) attention elsewhere
/// Attention that sums to less than 1 gives the rest in a second column of the gate; it is elsewhere, too.
CopyShares copy_shares(const Tensor& gate, const Tensor& attention, const Tensor& slots);

/// What copying gives to each target: shares.copied [B, T, S], slots [B, S], targets [B, T] -> [B, T].
Tensor copied_probability(const Tensor& copied, const Tensor& slots, const Tensor& targets);

/// Log of the mixture over all slots: log_probabilities [N, V] of the vocabulary alone, generated [N, 1],
/// copied [N, S], slots [N, S] -> [N, V + S].
Tensor mixed_log_probabilities(const Tensor& log_probabilities, const CopyShares& shares,
                               const Tensor& slots);

}  // namespace seq2seq
