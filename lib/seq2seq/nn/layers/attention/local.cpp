#include "seq2seq/nn/layers/attention/local.h"

#include <ATen/ATen.h>

namespace seq2seq {

LocalAttention::Layer::Layer(const LocalAttention& options, const AttentionSizes& sizes)
    : GeneralAttention::Layer({}, sizes),
      window_(static_cast<double>(options.window)),
      position_(register_module("position", Linear(sizes.query, sizes.hidden, false))),
      position_v_(register_parameter("position_v", at::empty({sizes.hidden}))) {}

Tensor LocalAttention::Layer::weights(const Tensor& scores, const Tensor& query, const AttentionView& view) {
  const auto type = scores.scalar_type();
  const Tensor share = position_->forward(query).tanh().matmul(position_v_).sigmoid();  // [N]
  const Tensor lengths = view.mask.sum(1, /*keepdim=*/true).to(type);                   // [B, 1]
  const Tensor centre = lengths * by_sentence(share, view);                             // [B, K]
  const Tensor place = view.mask.cumsum(1).to(type);                                    // [B, S] from 1
  const Tensor distance = (place.unsqueeze(1) - centre.unsqueeze(2)) / window_;         // [B, K, S]
  const Tensor outside = distance.abs().gt(1);
  return scores.masked_fill(outside, -1e9).softmax(2) * (distance.square() * -2).exp();
}

}  // namespace seq2seq
