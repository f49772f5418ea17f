#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// x [..., I] times weight [O, I] transposed, plus bias [O] when defined -> [..., O].
///
/// float32 on a CPU goes through oneDNN where that works, which is as fast as MKL on Intel processors and 2
/// to 2.5 times as fast on AMD ones (`seq2seq bench gemm`); everything else, and tracing, through at::linear.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

/// Multiply-adds of all products with weights in this process so far, gradients included: what benchmarks
/// compare with the machine's speed.
int64_t multiply_adds();
/// Adds products that were computed elsewhere, inside one of LibTorch's own layers.
void count_multiply_adds(int64_t count);

/// While one lives, this thread computes with LibTorch's own operations alone, without oneDNN's products and
/// our loops: the reference that the fast routes are tested and benchmarked against.
class PlainKernels {
 public:
  PlainKernels();
  ~PlainKernels();

 private:
  bool previous_;
};

/// While one lives (and is `active`), this thread computes products of float32 tensors on a CPU in bfloat16:
/// operands with 8 significant bits, sums in float32. Twice as fast as float32 on processors with
/// instructions for it, slower on others.
class Bfloat16Products {
 public:
  explicit Bfloat16Products(bool active);
  ~Bfloat16Products();

 private:
  bool previous_;
};

/// Whether that saves time here, by a measurement of some milliseconds.
bool bfloat16_products_are_faster();

/// Whether fast kernels may be used for `x` now: CPU, not tracing, not inside PlainKernels.
bool fast_kernels_allowed(const Tensor& x);

/// weight [O, I] and bias [O], named as in torch.
class LinearImpl : public torch::nn::Module {
 public:
  LinearImpl(int64_t inputs, int64_t outputs, bool with_bias = true);
  Tensor forward(const Tensor& x) { return linear(x, weight, bias); }
  Tensor weight, bias;
};
TORCH_MODULE(Linear);

}  // namespace seq2seq
