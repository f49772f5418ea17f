#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include "seq2seq/nn/ops/linear.h"

namespace seq2seq {

class Initializer;

/// weight [O, I] and bias [O], named as in torch.
class LinearImpl : public torch::nn::Module {
 public:
  LinearImpl(int64_t inputs, int64_t outputs, bool with_bias = true);
  Tensor forward(const Tensor& x) { return linear(x, weight, bias); }
  void initialize(Initializer& initializer);
  Tensor weight, bias;
};
TORCH_MODULE(Linear);

}  // namespace seq2seq
