#include "seq2seq/nn/layers/coverage/coverage.h"

#include <ATen/ATen.h>

namespace seq2seq {

Tensor coverage_loss(const Tensor& attention, const Tensor& steps) {
  const Tensor before = attention.cumsum(1) - attention;  // [B, T, S]
  return (at::min(attention, before).sum(2) * steps.to(attention.scalar_type())).sum();
}

}  // namespace seq2seq
