#include "seq2seq/nn/layers/attention/general.h"

#include <ATen/ATen.h>

namespace seq2seq {

GeneralAttention::Layer::Layer(const GeneralAttention&, const AttentionSizes& sizes)
    : Attention({.key = sizes.query, .context = sizes.memory}),
      key_(register_module("key", Linear(sizes.memory, sizes.query, false))) {}

Tensor GeneralAttention::Layer::scores(const Tensor& query, const AttentionView& view,
                                       const CoverageState& past) {
  return products(query.unsqueeze(1), view, past);
}

}  // namespace seq2seq
