#include "seq2seq/nn/layers/coverage/coverage.h"

#include <ATen/ATen.h>

namespace seq2seq {
namespace {

// attention [B, T, S], summed over the steps before each. Running sums of floats have no deterministic version
// on CUDA devices.
Tensor summed_before(const Tensor& attention) {
  if (!at::globalContext().deterministicAlgorithms()) return attention.cumsum(1) - attention;
  const int64_t steps = attention.size(1);
  return at::ones({steps, steps}, attention.options()).tril(-1).matmul(attention);
}

}  // namespace

Tensor coverage_loss(const Tensor& attention, const Tensor& steps) {
  return (at::min(attention, summed_before(attention)).sum(2) * steps.to(attention.scalar_type())).sum();
}

}  // namespace seq2seq
