#include "seq2seq/nn/engine/products.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "seq2seq/core/clock.h"
#include "seq2seq/nn/engine/capabilities.h"
#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/engine/onednn.h"

namespace seq2seq {
namespace {

bool onednn_usable(const Tensor& x) {
  return (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16) && x.is_cpu() && !plain_now() &&
         x.numel() > 0 && has_onednn_products();
}

// Whether a product with the left operand `x` rounds its operands.
bool in_bfloat16(const Tensor& x) {
  if (Compute::now().products != ProductFormat::bfloat16 || plain_now() || x.numel() == 0) return false;
  if (x.scalar_type() != at::kFloat && x.scalar_type() != at::kBFloat16) return false;
  TORCH_CHECK(has_bfloat16_products(x.device().type()), "no products in bfloat16 are computed on ",
              x.device());
  return true;
}

// Both operands in bfloat16 -> float32.
Tensor bfloat16_product(const Tensor& x, const Tensor& weight) {
  if (x.is_cpu()) return onednn_product(x, weight).to(at::kFloat);
  const Tensor rows = x.reshape({-1, x.size(-1)});
  const Tensor y = has_mixed_products(x.device().type()) ? at::mm(rows, weight.t(), at::kFloat)
                                                         : at::mm(rows, weight.t()).to(at::kFloat);
  std::vector<int64_t> sizes = x.sizes().vec();
  sizes.back() = weight.size(0);
  return y.view(sizes);
}

double seconds_of_products(const Tensor& x, const Tensor& weight) {
  double best = 1e9;
  for (int i = 0; i < 4; ++i) {
    const auto begin = Clock::now();
    product(x, product_operand(weight));
    best = std::min(best, seconds_since(begin));
  }
  return best;
}

}  // namespace

Tensor product(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  count_multiply_adds(x.numel() * weight.size(0));
  if (in_bfloat16(x)) {
    const Tensor y = bfloat16_product(product_operand(x), product_operand(weight));
    return bias.defined() ? y.add_(bias) : y;
  }
  if (!onednn_usable(x)) {
    // With a bias LibTorch asks cuBLASLt for an algorithm at every call, which takes longer than an addition.
    if (x.is_cuda() && bias.defined() && !plain_now()) return at::linear(x, weight).add_(bias);
    return at::linear(x, weight, bias.defined() ? std::optional(bias) : std::nullopt);
  }
  return onednn_product(x, weight, bias);
}

// oneDNN copies a transposed left operand, so the smaller of the two becomes the left one.
Tensor weight_gradient(const Tensor& dy, const Tensor& x) {
  if (dy.size(1) <= x.size(1)) return product(dy.t(), x.t());
  return product(x.t(), dy.t()).t();
}

Tensor product_operand(const Tensor& x) {
  return x.scalar_type() == at::kFloat && in_bfloat16(x) ? x.to(at::kBFloat16) : x;
}

bool bfloat16_products_are_faster() {
  if (!has_onednn_bfloat16_products()) return false;
  const Tensor x = at::ones({256, 512}), weight = at::ones({2048, 512});
  const ComputeScope full(&Compute::products, ProductFormat::float32);
  const double full_seconds = seconds_of_products(x, weight);
  const ComputeScope half(&Compute::products, ProductFormat::bfloat16);
  return seconds_of_products(x, weight) < 0.85 * full_seconds;
}

}  // namespace seq2seq
