#include "seq2seq/nn/layers/layer_norm.h"

#include <ATen/ATen.h>

namespace seq2seq {

LayerNormImpl::LayerNormImpl(int64_t width)
    : weight(register_parameter("weight", at::empty({width}))),
      bias(register_parameter("bias", at::empty({width}))) {}

Tensor LayerNormImpl::forward(const Tensor& x) {
  return at::layer_norm(x, weight.sizes(), weight, bias, 1e-5);
}

void LayerNormImpl::initialize() {
  const at::NoGradGuard no_grad;
  weight.fill_(1);
  bias.zero_();
}

}  // namespace seq2seq
