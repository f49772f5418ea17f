#include "seq2seq/nn/ops/cross_entropy.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/functions/utils.h>

#include "seq2seq/nn/engine/products.h"
#include "seq2seq/nn/ops/checked.h"
#include "seq2seq/nn/ops/kernel_sets.h"
#include "seq2seq/nn/ops/linear.h"
#include "seq2seq/nn/ops/optional_operands.h"

namespace seq2seq {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// On a CPU, few enough for its caches: 512 x 8,000 float32 logits have 16 MB. Elsewhere, for few and large kernels.
int64_t block_rows(const Tensor& features) {
  return features.is_cpu() ? 512 : 8192;
}

class ProjectedCrossEntropy : public torch::autograd::Function<ProjectedCrossEntropy> {
 public:
  static variable_list forward(AutogradContext* context, const Tensor& features, const Tensor& weight,
                               const std::optional<Tensor>& given_bias,
                               const std::optional<Tensor>& given_generated,
                               const std::optional<Tensor>& given_copied, const Tensor& targets,
                               double smoothing, bool differentiate, int64_t set) {
    const Tensor bias = given_bias.value_or(Tensor());
    const bool mixed = given_generated.has_value();
    const Tensor generated = given_generated.value_or(Tensor()), copied = given_copied.value_or(Tensor());
    const int64_t rows = features.size(0);
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
    const int64_t at_once = block_rows(features);
    for (int64_t begin = 0; begin < rows; begin += at_once) {
      const int64_t count = std::min(at_once, rows - begin);
      const Tensor block = all.narrow(0, begin, count);                     // [R, H]
      const Tensor logits = product(block, projection, bias).contiguous();  // [R, V]
      const auto part = [&](const Tensor& x) { return x.defined() ? x.narrow(0, begin, count) : x; };
      set_of(set).cross_entropy({.logits = logits,
                                 .targets = part(targets),
                                 .generated = part(generated),
                                 .copied = part(copied),
                                 .smoothing = smoothing,
                                 .least_probability = least_probability,
                                 .loss = part(loss),
                                 .negative_log_likelihood = part(nll),
                                 .gradient = differentiate,
                                 .generated_gradient = part(dgenerated),
                                 .copied_gradient = part(dcopied)});
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
    variable_list result(9);
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
    nll = -(mixture.generated * generated + mixture.copied).clamp_min(least_probability).log().sum();
  } else {
    nll = -log_probabilities.gather(1, targets.unsqueeze(1)).sum();
  }
  return {(1 - smoothing) * nll - smoothing * uniform, nll.detach()};
}

}  // namespace

LossSums projected_cross_entropy(const Tensor& features, const Tensor& weight, const Tensor& bias,
                                 const Tensor& targets, double smoothing, const CopyMixture& mixture) {
  if (checking(features)) {
    const auto sums = checked(
        "projected_cross_entropy", {features, weight, bias, mixture.generated, mixture.copied},
        [&](const variable_list& x) -> variable_list {
          const LossSums made = projected_cross_entropy(x[0], x[1], x[2], targets, smoothing, {x[3], x[4]});
          return {made.loss, made.negative_log_likelihood};
        },
        OperationContains::products);
    return {sums[0], sums[1]};
  }
  const KernelSet* set = kernels_for(features, &KernelSet::cross_entropy);
  if (set == nullptr) return plain_cross_entropy(features, weight, bias, targets, smoothing, mixture);
  const bool differentiate =
      torch::autograd::compute_requires_grad(features, weight, bias, mixture.generated, mixture.copied);
  const auto sums = ProjectedCrossEntropy::apply(
      features.contiguous(), weight, if_defined(bias), if_defined(contiguous_if_defined(mixture.generated)),
      if_defined(contiguous_if_defined(mixture.copied)), targets.contiguous(), smoothing, differentiate,
      handle_of(set));
  return {sums[0], sums[1]};
}

}  // namespace seq2seq
