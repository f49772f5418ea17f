#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <span>

#include "seq2seq/nn/layers/linear.h"
#include "seq2seq/nn/ops/dropout.h"

namespace seq2seq {

/// relu, or gelu computed with the error function (Hendrycks and Gimpel 2016).
enum class Activation { relu, gelu };
std::span<const char* const> option_names(Activation);

/// W_2 activation(W_1 x + b_1) + b_2 (Vaswani et al. 2017, equation 2).
class FeedForwardImpl : public torch::nn::Module {
 public:
  /// `dropout` is applied after the activation.
  FeedForwardImpl(int64_t width, int64_t inner_size, Activation activation, double dropout);
  Tensor forward(const Tensor& x, Noise* noise);
  void initialize(Initializer& initializer);

 private:
  Activation activation_;
  double dropout_;
  Linear inner_{nullptr}, outer_{nullptr};
};
TORCH_MODULE(FeedForward);

}  // namespace seq2seq
