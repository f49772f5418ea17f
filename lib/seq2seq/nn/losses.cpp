#include "seq2seq/nn/losses.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/functions/utils.h>

#include "seq2seq/nn/cpu/kernels.h"
#include "seq2seq/nn/linear.h"
#include "seq2seq/nn/products.h"

namespace seq2seq {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t block_rows = 512;  // 512 x 8,000 float32 logits: 16 MB

class ProjectedCrossEntropy : public torch::autograd::Function<ProjectedCrossEntropy> {
 public:
  static variable_list forward(AutogradContext* context, const Tensor& features, const Tensor& weight,
                               const std::optional<Tensor>& given_bias,
                               const std::optional<Tensor>& given_generated,
                               const std::optional<Tensor>& given_copied, const Tensor& targets,
                               double smoothing, bool differentiate) {
    const Tensor bias = given_bias.value_or(Tensor());
    const bool mixed = given_generated.has_value();
    const Tensor generated = given_generated.value_or(Tensor()), copied = given_copied.value_or(Tensor());
    const int64_t rows = features.size(0), vocabulary = weight.size(0);
    const Tensor loss = at::empty({rows}, features.options()), nll = at::empty({rows}, features.options());
    Tensor dfeatures, dweight, dbias, dgenerated, dcopied;
    if (differentiate && mixed) {
      dgenerated = at::empty({rows}, features.options());
      dcopied = at::empty({rows}, features.options());
    }
    if (differentiate) {
      dfeatures = at::empty_like(features);
      dweight = at::zeros_like(weight);
      if (bias.defined()) dbias = at::zeros_like(bias);
    }
    const Tensor all = product_operand(features), projection = product_operand(weight);
    for (int64_t begin = 0; begin < rows; begin += block_rows) {
      const int64_t count = std::min(block_rows, rows - begin);
      const Tensor block = all.narrow(0, begin, count);                     // [R, H]
      const Tensor logits = product(block, projection, bias).contiguous();  // [R, V]
      AT_DISPATCH_FLOATING_TYPES(logits.scalar_type(), "projected_cross_entropy", [&] {
        kernels::Mixture<scalar_t> mixture;
        if (mixed) {
          mixture.generated = generated.const_data_ptr<scalar_t>() + begin;
          mixture.copied = copied.const_data_ptr<scalar_t>() + begin;
        }
        if (mixed && differentiate) {
          mixture.generated_gradient = dgenerated.mutable_data_ptr<scalar_t>() + begin;
          mixture.copied_gradient = dcopied.mutable_data_ptr<scalar_t>() + begin;
        }
        const kernels::CrossEntropy<scalar_t> terms{.logits = logits.mutable_data_ptr<scalar_t>(),
                                                    .targets = targets.const_data_ptr<int64_t>() + begin,
                                                    .mixture = mixture,
                                                    .smoothing = static_cast<scalar_t>(smoothing),
                                                    .gradient = differentiate,
                                                    .loss = loss.mutable_data_ptr<scalar_t>() + begin,
                                                    .nll = nll.mutable_data_ptr<scalar_t>() + begin,
                                                    .vocabulary = vocabulary};
        kernels::cross_entropy(terms, count);
      });
      if (!differentiate) continue;
      const Tensor dlogits = product_operand(logits);
      dfeatures.narrow(0, begin, count).copy_(product(dlogits, projection.t()));
      dweight.add_(weight_gradient(dlogits, block));
      if (dbias.defined()) dbias.add_(logits.sum(0));
    }
    if (differentiate) context->save_for_backward({dfeatures, dweight, dbias, dgenerated, dcopied});
    const Tensor nll_sum = nll.sum();
    context->mark_non_differentiable({nll_sum});
    return {loss.sum(), nll_sum};
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    variable_list result(8);
    for (size_t i = 0; i < 5; ++i)
      if (saved[i].defined()) result[i] = saved[i] * gradients[0];
    return result;
  }
};

LossSums plain_cross_entropy(const Tensor& features, const Tensor& weight, const Tensor& bias,
                             const Tensor& targets, double smoothing, const CopyMixture& mixture) {
  const Tensor log_probabilities = linear(features, weight, bias).log_softmax(1);  // [R, V]
  const Tensor uniform = log_probabilities.mean(1).sum();
  Tensor nll;
  if (mixture.generated.defined()) {
    const Tensor known = targets.lt(weight.size(0));
    const Tensor generated =
        log_probabilities.gather(1, targets.where(known, at::zeros_like(targets)).unsqueeze(1))
            .squeeze(1)
            .exp() *
        known.to(features.scalar_type());  // [R]
    nll = -(mixture.generated * generated + mixture.copied).clamp_min(kernels::least_probability).log().sum();
  } else {
    nll = -log_probabilities.gather(1, targets.unsqueeze(1)).sum();
  }
  return {(1 - smoothing) * nll - smoothing * uniform, nll.detach()};
}

std::optional<Tensor> optional(const Tensor& tensor) {
  return tensor.defined() ? std::optional(tensor) : std::nullopt;
}

}  // namespace

LossSums projected_cross_entropy(const Tensor& features, const Tensor& weight, const Tensor& bias,
                                 const Tensor& targets, double smoothing, const CopyMixture& mixture) {
  if (!fast_kernels_allowed(features))
    return plain_cross_entropy(features, weight, bias, targets, smoothing, mixture);
  const bool differentiate =
      torch::autograd::compute_requires_grad(features, weight, bias, mixture.generated, mixture.copied);
  const auto contiguous = [](const Tensor& t) { return t.defined() ? t.contiguous() : t; };
  const auto sums = ProjectedCrossEntropy::apply(
      features.contiguous(), weight, optional(bias), optional(contiguous(mixture.generated)),
      optional(contiguous(mixture.copied)), targets.contiguous(), smoothing, differentiate);
  return {sums[0], sums[1]};
}

}  // namespace seq2seq
