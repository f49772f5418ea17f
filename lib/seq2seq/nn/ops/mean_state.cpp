#include "seq2seq/nn/ops/mean_state.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/functions/utils.h>

#include "seq2seq/nn/engine/compute.h"

namespace seq2seq {
namespace {

/// The sum over time of x [B, S, H], float32, one state after the other.
Tensor sum_in_order(const Tensor& x) {
  const int64_t sentences = x.size(0), length = x.size(1), width = x.size(2);
  const Tensor sums = at::zeros({sentences, width}, x.options());
  const float* from = x.const_data_ptr<float>();
  float* to = sums.mutable_data_ptr<float>();
  for (int64_t b = 0; b < sentences; ++b, to += width)
    for (int64_t s = 0; s < length; ++s, from += width)
      for (int64_t i = 0; i < width; ++i) to[i] += from[i];
  return sums;
}

}  // namespace

Tensor mean_state(const Tensor& x, const Tensor& lengths) {
  const bool plain = !x.is_cpu() || x.scalar_type() != at::kFloat || plain_now() ||
                     torch::autograd::compute_requires_grad(x);
  const Tensor sum = plain ? x.sum(1) : sum_in_order(x.contiguous());
  return sum / lengths.unsqueeze(1).to(x.scalar_type());
}

}  // namespace seq2seq
