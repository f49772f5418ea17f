#include "seq2seq/nn/layers/attention/multi_head.h"

#include <ATen/ATen.h>

#include <cmath>

#include "seq2seq/core/error.h"
#include "seq2seq/nn/ops/memory_products.h"

namespace seq2seq {

void MultiHeadAttention::check(const AttentionSizes& sizes, const std::string& place) const {
  if (sizes.hidden % heads == 0) return;
  throw UsageError(place + "heads",
                   std::to_string(heads) + " heads cannot share a width of " + std::to_string(sizes.hidden),
                   "let it divide " + place + "size");
}

MultiHeadAttention::Layer::Layer(const MultiHeadAttention& options, const AttentionSizes& sizes)
    : Attention({.key = sizes.hidden, .context = sizes.hidden, .heads = options.heads}),
      scale_(1.0 / std::sqrt(static_cast<double>(sizes.hidden) / static_cast<double>(options.heads))),
      query_(register_module("query", Linear(sizes.query, sizes.hidden))),
      key_(register_module("key", Linear(sizes.memory, sizes.hidden, false))),
      value_(register_module("value", Linear(sizes.memory, sizes.hidden, false))),
      head_of_(register_buffer("head_of",
                               at::eye(options.heads).repeat_interleave(sizes.hidden / options.heads, 1))) {}

void MultiHeadAttention::Layer::prepare_view(AttentionView& view) {
  view.keys = key_->forward(view.states);
  view.values = value_->forward(view.states);
}

// Each head is a separate query, zero outside the columns of the head.
Tensor MultiHeadAttention::Layer::scores(const Tensor& query, const AttentionView& view,
                                         const CoverageState& past) {
  return products((query_->forward(query) * scale_).unsqueeze(1) * head_of_, view, past);
}

// Each head contributes its own columns of the context.
Tensor MultiHeadAttention::Layer::context(const Tensor& weights, const AttentionView& view) {
  return (by_row(weighted_states(weights, view.values)) * head_of_).sum(1);
}

}  // namespace seq2seq
