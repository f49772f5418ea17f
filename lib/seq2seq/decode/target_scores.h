#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "seq2seq/decode/hypothesis.h"
#include "seq2seq/decode/scorer.h"

namespace seq2seq {

/// Scores given outputs by teacher forcing: targets[i] is an output of source i, ids or copy slots without
/// </s>. The score of a hypothesis is its log-probability.
std::vector<Hypothesis> score_targets(Scorer& scorer, const SourceBatch& source,
                                      std::span<const std::vector<int64_t>> targets);

/// Positions of the tokens in each source, without </s>, <s> and padding.
std::vector<std::vector<int64_t>> word_positions(const SourceBatch& source);
/// The position in `words` with the largest `attention` (of all positions); -1 = none.
template <class Number>
int64_t most_attended(std::span<const Number> attention, std::span<const int64_t> words) {
  int64_t best = -1;
  for (const int64_t word : words)
    if (best < 0 || attention[static_cast<size_t>(word)] > attention[static_cast<size_t>(best)]) best = word;
  return best;
}

}  // namespace seq2seq
