#include "seq2seq/nn/ops/nonlinearity.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/functions/utils.h>

#include "seq2seq/nn/ops/checked.h"
#include "seq2seq/nn/ops/kernel_sets.h"

namespace seq2seq {
namespace {

Tensor plain_nonlinear(Nonlinearity function, const Tensor& x) {
  switch (function) {
    case Nonlinearity::relu:
      return x.relu();
    case Nonlinearity::gelu:
      return at::gelu(x);
    case Nonlinearity::tanh:
      return x.tanh();
    case Nonlinearity::sigmoid:
      return x.sigmoid();
  }
  return x;
}

}  // namespace

Tensor nonlinear(Nonlinearity function, const Tensor& x) {
  if (x.scalar_type() != at::kFloat || x.numel() == 0 || torch::autograd::compute_requires_grad(x))
    return plain_nonlinear(function, x);
  if (checking(x))
    return checked("nonlinear", {x}, [&](const std::vector<Tensor>& operands) {
      return std::vector<Tensor>{nonlinear(function, operands[0])};
    })[0];
  const KernelSet* set = kernels_for(x, &KernelSet::steps);
  if (set == nullptr) return plain_nonlinear(function, x);
  const Tensor y = x.clone(at::MemoryFormat::Contiguous);
  const int64_t width = y.size(-1);
  set->steps->nonlinear(function, {y.mutable_data_ptr<float>(), y.numel() / width, width, width});
  return y;
}

}  // namespace seq2seq
