#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// Layer normalization (Ba et al. 2016) over the last dimension; weight and bias [H], epsilon 1e-5.
class LayerNormImpl : public torch::nn::Module {
 public:
  explicit LayerNormImpl(int64_t width);
  Tensor forward(const Tensor& x);
  void initialize();
  Tensor weight, bias;
};
TORCH_MODULE(LayerNorm);

}  // namespace seq2seq
