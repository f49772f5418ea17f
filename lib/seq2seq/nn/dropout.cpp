#include "seq2seq/nn/dropout.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "seq2seq/core/random.h"
#include "seq2seq/nn/cpu/kernels.h"
#include "seq2seq/nn/linear.h"

namespace seq2seq {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

kernels::Draw draw_of(uint64_t seed) {
  return {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
}

// The twin of the kernels' loop by tensor operations, for all devices: element i of a draw, below 2^24.
// 32-bit words in int64, so that the products, below 2^63, are exact.
Tensor scrambled(const Tensor& words) {
  constexpr int64_t low_word = 0xffffffff;
  const auto folded = [](const Tensor& x, int64_t bits) {
    return x.bitwise_xor(x.bitwise_right_shift(at::Scalar(bits)));
  };
  const Tensor once = folded(words, 16).mul(0x21f0aaad).bitwise_and(low_word);
  return folded(folded(once, 15).mul(0x735a2d97).bitwise_and(low_word), 15);
}

Tensor numbers_like(const Tensor& like, const kernels::Draw& draw) {
  const Tensor places = at::arange(like.numel(), like.options().dtype(at::kLong).requires_grad(false));
  const Tensor first = scrambled(places.bitwise_xor(static_cast<int64_t>(draw.low)));
  return scrambled((first + static_cast<int64_t>(draw.high)).bitwise_and(0xffffffff))
      .bitwise_right_shift(at::Scalar(8))
      .view(like.sizes());
}

Tensor times_mask(const Tensor& x, uint64_t seed, double p) {
  const Tensor input = x.contiguous(), result = at::empty_like(input);
  AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "dropout", [&] {
    kernels::dropout<scalar_t>(draw_of(seed), p, input.const_data_ptr<scalar_t>(),
                               result.mutable_data_ptr<scalar_t>(), input.numel());
  });
  return result;
}

// Makes its mask again for the gradient.
class Dropout : public torch::autograd::Function<Dropout> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x, uint64_t seed, double p) {
    context->saved_data["seed"] = static_cast<int64_t>(seed);
    context->saved_data["p"] = p;
    return times_mask(x, seed, p);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto seed = static_cast<uint64_t>(context->saved_data["seed"].toInt());
    return {times_mask(gradients[0], seed, context->saved_data["p"].toDouble()), {}, {}};
  }
};

}  // namespace

Tensor Noise::uniform(const Tensor& like) {
  const uint64_t seed = mix_seed({seed_, drawn_++});
  if (!fast_kernels_allowed(like)) return numbers_like(like, draw_of(seed)).to(at::kFloat) * 0x1.0p-24;
  Tensor result = at::empty(like.sizes(), at::TensorOptions().dtype(at::kFloat));
  kernels::uniform(draw_of(seed), result.mutable_data_ptr<float>(), result.numel());
  return result;
}

Tensor Noise::mask(const Tensor& like, double p) {
  const uint64_t seed = mix_seed({seed_, drawn_++});
  if (!fast_kernels_allowed(like)) {
    const Tensor kept = numbers_like(like, draw_of(seed)).ge(static_cast<int64_t>(p * 0x1.0p24));
    return kept.to(like.scalar_type()) * static_cast<double>(static_cast<float>(1.0 / (1.0 - p)));
  }
  Tensor result = at::empty(like.sizes(), at::TensorOptions().dtype(at::kFloat));
  kernels::dropout<float>(draw_of(seed), p, nullptr, result.mutable_data_ptr<float>(), result.numel());
  return result.to(like.options());
}

Tensor Noise::dropped(const Tensor& x, double p) {
  if (!fast_kernels_allowed(x)) return x * mask(x, p);
  return Dropout::apply(x, mix_seed({seed_, drawn_++}), p);
}

Tensor dropout(const Tensor& x, double p, Noise* noise) {
  return noise == nullptr || p <= 0 ? x : noise->dropped(x, p);
}

Tensor word_dropout(const Tensor& ids, const Tensor& keep, int64_t replacement, double p, Noise* noise) {
  if (noise == nullptr || p <= 0) return ids;
  return ids.masked_fill((noise->uniform(ids) < p).logical_and(keep.logical_not()), replacement);
}

}  // namespace seq2seq
