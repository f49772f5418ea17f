#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace seq2seq {

/// Source tokens, with </s> and padding, that are decoded together unless asked otherwise: enough for 32 sentences of
/// a thousand tokens.
constexpr int64_t default_batch_tokens = 32'768;

/// The indices of `sources` (ids without </s>) as batches of similar length, longest first, so that workers that
/// share them finish at about the same time. A batch has at most `sentences` sources and, its longest source times
/// its sources, at most `tokens` tokens with </s>; a source that is longer than that is a batch of its own.
std::vector<std::vector<size_t>> sentence_batches(const std::vector<std::vector<int64_t>>& sources,
                                                  int64_t sentences, int64_t tokens);

}  // namespace seq2seq
