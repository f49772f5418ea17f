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

/// How a decoder state q is compared with an encoder state m. A new kind is a pair of files beside these and
/// its name here.
using AttentionOptions = std::variant<NoAttention, DotAttention, GeneralAttention, AdditiveAttention,
                                      MultiHeadAttention, LocalAttention>;

/// Throws UsageError where the kind does not go with these widths. `place` stands before the names of options
/// ("--decoder.").
void check_attention(const AttentionOptions& options, const AttentionSizes& sizes,
                     const std::string& place = {});

/// Throws as `check_attention`, and TORCH_CHECK for coverage without attention.
std::shared_ptr<Attention> make_attention(const AttentionOptions& options, const AttentionSizes& sizes,
                                          const CoverageOptions& coverage = {});

/// Calls f for each tensor of an AttentionView that `prepare` makes, in the order that a Memory has them in.
void prepared_tensors(const AttentionOptions& attention, const CoverageOptions& coverage, auto& view,
                      auto&& f) {
  std::visit([&](const auto& kind) { kind.prepared(view, f); }, attention);
  std::visit([&](const auto& kind) { kind.prepared(view, f); }, coverage);
}

}  // namespace seq2seq
