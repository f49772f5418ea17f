#include "seq2seq/nn/ops/dropout.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "seq2seq/core/random.h"
#include "seq2seq/nn/ops/checked.h"
#include "seq2seq/nn/ops/kernel_sets.h"

namespace seq2seq {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The kernels' random numbers by tensor operations, for all devices. 32-bit words are held in int64, so that
// the products, below 2^63, are exact.
Tensor scrambled(const Tensor& words) {
  constexpr int64_t low_word = 0xffffffff;
  const auto folded = [](const Tensor& x, int64_t bits) {
    return x.bitwise_xor(x.bitwise_right_shift(at::Scalar(bits)));
  };
  const Tensor once = folded(words, 16).mul(0x21f0aaad).bitwise_and(low_word);
  return folded(folded(once, 15).mul(0x735a2d97).bitwise_and(low_word), 15);
}

// Element i is the random integer i of the draw, below 2^24.
Tensor numbers_like(const Tensor& like, uint64_t seed) {
  const Tensor places = at::arange(like.numel(), like.options().dtype(at::kLong).requires_grad(false));
  const Tensor first = scrambled(places.bitwise_xor(static_cast<int64_t>(seed & 0xffffffff)));
  return scrambled((first + static_cast<int64_t>(seed >> 32)).bitwise_and(0xffffffff))
      .bitwise_right_shift(at::Scalar(8))
      .view(like.sizes());
}

// Threshold and scale are rounded as in the kernels.
Tensor plain_mask(const Tensor& like, uint64_t seed, double p) {
  const Tensor kept = numbers_like(like, seed).ge(static_cast<int64_t>(p * 0x1.0p24));
  return kept.to(like.scalar_type()) * static_cast<double>(static_cast<float>(1.0 / (1.0 - p)));
}

Tensor times_mask(const KernelSet& kernels, const Tensor& x, uint64_t seed, double p) {
  const Tensor input = x.contiguous(), result = at::empty_like(input);
  kernels.dropout(seed, p, input, result);
  return result;
}

// Recomputes its mask for the gradient.
class FusedDropout : public torch::autograd::Function<FusedDropout> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x, int64_t seed, double p, int64_t set) {
    context->saved_data["seed"] = seed;
    context->saved_data["p"] = p;
    context->saved_data["set"] = set;
    return times_mask(set_of(set), x, static_cast<uint64_t>(seed), p);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto seed = static_cast<uint64_t>(context->saved_data["seed"].toInt());
    const KernelSet& kernels = set_of(context->saved_data["set"].toInt());
    return {times_mask(kernels, gradients[0], seed, context->saved_data["p"].toDouble()), {}, {}, {}};
  }
};

}  // namespace

Tensor uniform_numbers(const Tensor& like, uint64_t seed) {
  const Tensor result = at::empty(like.sizes(), like.options().dtype(at::kFloat).requires_grad(false));
  if (checking(result))
    checked("uniform_numbers", {like},
            [&](const variable_list& x) { return variable_list{uniform_numbers(x[0], seed)}; });
  const KernelSet* set = kernels_for(result, &KernelSet::uniform);
  if (set == nullptr) return numbers_like(like, seed).to(at::kFloat) * 0x1.0p-24;
  set->uniform(seed, result);
  return result;
}

Tensor dropout_mask(const Tensor& like, uint64_t seed, double p) {
  if (checking(like))
    checked("dropout_mask", {like},
            [&](const variable_list& x) { return variable_list{dropout_mask(x[0], seed, p)}; });
  const KernelSet* set = kernels_for(like, &KernelSet::dropout);
  if (set == nullptr) return plain_mask(like, seed, p);
  const Tensor result = at::empty(like.sizes(), like.options().requires_grad(false));
  set->dropout(seed, p, {}, result);
  return result;
}

Tensor dropped(const Tensor& x, uint64_t seed, double p) {
  if (checking(x))
    return checked("dropped", {x}, [&](const variable_list& operands) {
      return variable_list{dropped(operands[0], seed, p)};
    })[0];
  const KernelSet* set = kernels_for(x, &KernelSet::dropout);
  if (set == nullptr) return x * plain_mask(x, seed, p);
  return FusedDropout::apply(x, static_cast<int64_t>(seed), p, handle_of(set));
}

Tensor Noise::uniform(const Tensor& like) {
  return uniform_numbers(like, next_seed());
}
Tensor Noise::mask(const Tensor& like, double p) {
  return dropout_mask(like, next_seed(), p);
}
Tensor Noise::dropped(const Tensor& x, double p) {
  return seq2seq::dropped(x, next_seed(), p);
}
uint64_t Noise::next_seed() {
  return mix_seed({seed_, drawn_++});
}

Tensor dropout(const Tensor& x, double p, Noise* noise) {
  return noise == nullptr || p <= 0 ? x : noise->dropped(x, p);
}

Tensor word_dropout(const Tensor& ids, const Tensor& keep, int64_t replacement, double p, Noise* noise) {
  if (noise == nullptr || p <= 0) return ids;
  return ids.masked_fill((noise->uniform(ids) < p).logical_and(keep.logical_not()), replacement);
}

}  // namespace seq2seq
