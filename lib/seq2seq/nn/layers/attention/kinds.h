#pragma once

#include <memory>
#include <string>
#include <variant>

#include "seq2seq/nn/layers/attention/additive.h"
#include "seq2seq/nn/layers/attention/dot.h"
#include "seq2seq/nn/layers/attention/general.h"
#include "seq2seq/nn/layers/attention/local.h"
#include "seq2seq/nn/layers/attention/multi_head.h"
#include "seq2seq/nn/layers/attention/none.h"
#include "seq2seq/nn/layers/coverage/kinds.h"

namespace seq2seq {

/// How a decoder state q is scored against an encoder state m. A new kind adds two files and its name here.
using AttentionOptions = std::variant<NoAttention, DotAttention, GeneralAttention, AdditiveAttention,
                                      MultiHeadAttention, LocalAttention>;

/// Throws UsageError if an option is out of its range or the kind does not support these widths. `place` is
/// the prefix of option names in messages ("--decoder.").
void check_attention(const AttentionOptions& options, const AttentionSizes& sizes,
                     const std::string& place = {});

/// Throws like `check_attention`, and c10::Error (TORCH_CHECK) for coverage without attention.
std::shared_ptr<Attention> make_attention(const AttentionOptions& options, const AttentionSizes& sizes,
                                          const CoverageOptions& coverage = {});

/// Calls f for each tensor of an AttentionView that `prepare` computes, in the order of Memory::prepared.
void prepared_tensors(const AttentionOptions& attention, const CoverageOptions& coverage, auto& view,
                      auto&& f) {
  std::visit([&](const auto& kind) { kind.prepared(view, f); }, attention);
  std::visit([&](const auto& kind) { kind.prepared(view, f); }, coverage);
}

}  // namespace seq2seq
