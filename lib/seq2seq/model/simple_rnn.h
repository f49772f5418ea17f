#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include "seq2seq/nn/layers/linear.h"
#include "seq2seq/nn/layers/recurrent.h"

namespace seq2seq {

/// A plain Elman network: h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), h_0 = 0, with a linear head on
/// the last step. Reference for the fused cells and probe of the gradient-flow studies.
class SimpleRnnImpl : public torch::nn::Module {
 public:
  SimpleRnnImpl(int64_t input_size, int64_t hidden_size, int64_t output_size);

  /// x [B, T, I] -> [B, O], by the explicit loop over time.
  Tensor forward(const Tensor& x) { return head_->forward(states(x).select(1, -1)); }
  /// All hidden states [B, T, H], by the explicit loop.
  Tensor states(const Tensor& x);

 private:
  RecurrentLayer recurrence_;
  Linear head_;
};
TORCH_MODULE(SimpleRnn);

}  // namespace seq2seq
