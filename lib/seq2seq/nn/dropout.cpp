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
  Tensor result = at::empty(like.sizes(), at::TensorOptions().dtype(at::kFloat));
  kernels::uniform(draw_of(seed), result.mutable_data_ptr<float>(), result.numel());
  return result.to(like.device());
}

Tensor Noise::mask(const Tensor& like, double p) {
  const uint64_t seed = mix_seed({seed_, drawn_++});
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
