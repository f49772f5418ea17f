#include "seq2seq/nn/products.h"

#include <ATen/ATen.h>
#include <torch/csrc/jit/frontend/tracer.h>

#include <atomic>
#include <chrono>

#include "seq2seq/nn/engine/capabilities.h"
#include "seq2seq/nn/engine/onednn.h"
#include "seq2seq/nn/linear.h"
#include "seq2seq/nn/packed_weights.h"

namespace seq2seq {
namespace {

thread_local bool plain_kernels = false;
thread_local bool bfloat16_products = false;
std::atomic<int64_t> multiply_add_count = 0;

bool onednn_usable(const Tensor& x) {
  return (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16) && fast_kernels_allowed(x) &&
         x.numel() > 0 && has_onednn_products();
}

double seconds_of_products(const Tensor& x, const Tensor& weight) {
  double best = 1e9;
  for (int i = 0; i < 4; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    product(x, product_operand(weight));
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return best;
}

}  // namespace

Tensor product(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  count_multiply_adds(x.numel() * weight.size(0));
  if (!onednn_usable(x)) return at::linear(x, weight, bias.defined() ? std::optional(bias) : std::nullopt);
  if (PackedWeights* weights = PackedWeights::in_use(); weights != nullptr && !bfloat16_products)
    if (const Tensor packed = weights->packed(weight); packed.defined())
      return onednn_product(x, packed, bias);
  if (!bfloat16_products) return onednn_product(x, weight, bias);
  const Tensor y = onednn_product(product_operand(x), product_operand(weight)).to(at::kFloat);
  return bias.defined() ? y.add_(bias) : y;
}

// oneDNN copies a transposed left operand, so the smaller of the two becomes the left one.
Tensor weight_gradient(const Tensor& dy, const Tensor& x) {
  if (dy.size(1) <= x.size(1)) return product(dy.t(), x.t());
  return product(x.t(), dy.t()).t();
}

Tensor product_operand(const Tensor& x) {
  return bfloat16_products && x.scalar_type() == at::kFloat && onednn_usable(x) ? x.to(at::kBFloat16) : x;
}

PlainKernels::PlainKernels() : previous_(plain_kernels) {
  plain_kernels = true;
}
PlainKernels::~PlainKernels() {
  plain_kernels = previous_;
}

Bfloat16Products::Bfloat16Products(bool active) : previous_(bfloat16_products) {
  TORCH_CHECK(!active || has_onednn_bfloat16_products(), "this machine computes no products in bfloat16");
  bfloat16_products = active;
}
Bfloat16Products::~Bfloat16Products() {
  bfloat16_products = previous_;
}

bool bfloat16_products_are_faster() {
  if (!has_onednn_bfloat16_products()) return false;
  const Tensor x = at::ones({256, 512}), weight = at::ones({2048, 512});
  const Bfloat16Products full(false);
  const double full_seconds = seconds_of_products(x, weight);
  const Bfloat16Products half(true);
  return seconds_of_products(x, weight) < 0.85 * full_seconds;
}

bool fast_kernels_allowed(const Tensor& x) {
  return !plain_kernels && x.is_cpu() && !torch::jit::tracer::isTracing();
}

int64_t multiply_adds() {
  return multiply_add_count.load(std::memory_order_relaxed);
}

void count_multiply_adds(int64_t count) {
  multiply_add_count.fetch_add(count, std::memory_order_relaxed);
}

}  // namespace seq2seq
