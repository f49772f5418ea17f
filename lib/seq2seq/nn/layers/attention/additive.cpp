#include "seq2seq/nn/layers/attention/additive.h"

#include <ATen/ATen.h>

#include "seq2seq/nn/ops/additive_scores.h"

namespace seq2seq {

AdditiveAttention::Layer::Layer(const AdditiveAttention&, const AttentionSizes& sizes)
    : Attention({.key = sizes.hidden, .context = sizes.memory}),
      query_(register_module("query", Linear(sizes.query, sizes.hidden))),
      key_(register_module("key", Linear(sizes.memory, sizes.hidden, false))),
      v_(register_parameter("v", at::empty({sizes.hidden}))) {}

Tensor AdditiveAttention::Layer::scores(const Tensor& query, const AttentionView& view,
                                        const CoverageState& past) {
  const Tensor projected = by_sentence(query_->forward(query), view);  // [B, K, A]
  const Tensor cells = coverage().cells(past);                         // [N, S, D]
  if (!cells.defined()) return additive_scores(view.keys, projected, v_, view.mask);
  const Tensor& weight = coverage().weight;  // [A, D]
  if (weight.size(1) == 1)
    return additive_scores(view.keys, projected, v_, view.mask, by_sentence(cells.select(2, 0), view),
                           weight.select(1, 0));
  const Tensor covered = by_sentence(seq2seq::linear(cells, weight), view);  // [B, K, S, A]
  return at::tanh(view.keys.unsqueeze(1) + projected.unsqueeze(2) + covered).matmul(v_);
}

}  // namespace seq2seq
