#include "seq2seq/nn/ops/attend.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/functions/utils.h>

#include <cmath>

#include "seq2seq/nn/engine/part_clock.h"
#include "seq2seq/nn/ops/checked.h"
#include "seq2seq/nn/ops/kernel_sets.h"
#include "seq2seq/nn/ops/optional_operands.h"

namespace seq2seq {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr double unseen = -1e9;  // score of a masked position; its weight becomes 0

double scale_of(const Tensor& queries) {
  return 1.0 / std::sqrt(static_cast<double>(queries.size(-1)));
}

// Scores [B, heads, Q, S] with masked positions set to `unseen`.
Tensor restricted(const Tensor& scores, const Tensor& mask, bool causal) {
  Tensor result = scores;
  if (mask.defined()) result = result.masked_fill(mask.logical_not().unsqueeze(1).unsqueeze(1), unseen);
  if (causal) {
    const Tensor later =
        at::ones({scores.size(2), scores.size(3)}, scores.options().dtype(at::kBool)).triu(1);
    result = result.masked_fill(later, unseen);
  }
  return result;
}

// Context [B, Q, heads * d] and weights [B, heads, Q, S].
using Attended = std::pair<Tensor, Tensor>;

Attended plain_attend(const Tensor& queries, const HeadMemory& memory, const Tensor& mask, bool causal,
                      const Tensor& factors) {
  const Tensor scores =
      (queries * scale_of(queries)).matmul(memory.keys.transpose(2, 3));  // [B, heads, Q, S]
  const Tensor weights = restricted(scores, mask, causal).softmax(3);
  const Tensor context = (factors.defined() ? weights * factors : weights).matmul(memory.values);
  return {context.transpose(1, 2).flatten(2), weights};
}

Tensor with_whole_positions(const Tensor& x) {
  return x.stride(3) == 1 ? x : x.contiguous();
}

HeadOperands operands_of(const variable_list& tensors, bool causal) {
  return {.queries = tensors[0],
          .keys = tensors[1],
          .values = tensors[2],
          .mask = tensors[3],
          .factors = tensors[4],
          .causal = causal,
          .scale = scale_of(tensors[0])};
}

// Records no graph; tensors: queries, keys, values, mask, factors. Weights that are not wanted, which grow with the
// square of the length in encoders, are left undefined.
Attended fused_attend(const KernelSet& kernels, const variable_list& tensors, bool causal, bool wanted) {
  const Tensor &queries = tensors[0], &keys = tensors[1];
  Tensor weights;
  if (wanted)
    weights = at::empty({queries.size(0), queries.size(1), queries.size(2), keys.size(2)}, queries.options());
  const Tensor context =
      at::empty({queries.size(0), queries.size(2), queries.size(1), queries.size(3)}, queries.options());
  kernels.attend(operands_of(tensors, causal), weights, context);
  return {context.flatten(2), weights};
}

class FusedAttention : public torch::autograd::Function<FusedAttention> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& queries, const Tensor& keys,
                        const Tensor& values, const std::optional<Tensor>& mask,
                        const std::optional<Tensor>& factors, bool causal, int64_t set) {
    const variable_list tensors{with_whole_positions(queries), with_whole_positions(keys),
                                with_whole_positions(values), mask.value_or(Tensor()),
                                factors.value_or(Tensor())};
    const auto [result, weights] = fused_attend(set_of(set), tensors, causal, /*wanted=*/true);
    variable_list saved = tensors;
    saved.push_back(weights);
    context->save_for_backward(std::move(saved));
    context->saved_data["causal"] = causal;
    context->saved_data["set"] = set;
    return result;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const KernelSet& kernels = set_of(context->saved_data["set"].toInt());
    const auto saved = context->get_saved_variables();
    const auto laid_out = [](const Tensor& x) {  // [B, T, heads, d]
      return at::empty({x.size(0), x.size(2), x.size(1), x.size(3)}, x.options());
    };
    const HeadGradients made{laid_out(saved[0]), laid_out(saved[1]), laid_out(saved[2])};
    kernels.attend_backward(operands_of(saved, context->saved_data["causal"].toBool()), saved[5],
                            gradients[0].contiguous(), made);
    return {
        made.queries.transpose(1, 2), made.keys.transpose(1, 2), made.values.transpose(1, 2), {}, {}, {}, {}};
  }
};

// `wanted`: whether to return the weights.
Attended attend_either(const Tensor& queries, const HeadMemory& memory, const Tensor& mask, bool causal,
                       const Tensor& factors, bool wanted) {
  if (checking(queries)) {
    const auto outputs =
        checked("attend", {queries, memory.keys, memory.values}, [&](const variable_list& x) {
          const Attended result = attend_either(x[0], {x[1], x[2]}, mask, causal, factors, wanted);
          return wanted ? variable_list{result.first, result.second} : variable_list{result.first};
        });
    return {outputs[0], wanted ? outputs[1] : Tensor()};
  }
  const KernelSet* set = kernels_for(queries, &KernelSet::attend);
  const bool differentiate = torch::autograd::compute_requires_grad(queries, memory.keys, memory.values);
  // The kernels compute no gradient through the returned weights.
  if (set == nullptr || (wanted && (differentiate || factors.defined())))
    return plain_attend(queries, memory, mask, causal, factors);
  if (wanted || !differentiate)
    return fused_attend(*set,
                        {with_whole_positions(queries), with_whole_positions(memory.keys),
                         with_whole_positions(memory.values), contiguous_if_defined(mask), factors},
                        causal, wanted);
  return {FusedAttention::apply(queries, memory.keys, memory.values, if_defined(contiguous_if_defined(mask)),
                                if_defined(factors), causal, handle_of(set)),
          {}};
}

Attended attend_given(const Tensor& queries, const HeadMemory& memory, const Visible& visible,
                      const WeightDropout& dropout, bool wanted) {
  const PartScope timed(Part::attention);
  const int64_t sentences = queries.size(0), heads = queries.size(1), width = queries.size(3);
  const int64_t length = memory.keys.size(2);
  check_shape("keys", memory.keys, {sentences, heads, -1, width});
  check_shape("values", memory.values, {sentences, heads, length, width});
  if (visible.mask.defined()) check_shape("mask", visible.mask, {sentences, length});
  TORCH_CHECK(!visible.causal || queries.size(2) == length, "causal attention of ", queries.size(2),
              " queries to ", length, " keys");
  Tensor factors;
  if (dropout.active())
    factors = dropout.noise->mask(at::empty({sentences, heads, queries.size(2), length}, queries.options()),
                                  dropout.p);
  return attend_either(queries, memory, visible.mask, visible.causal, factors, wanted);
}

}  // namespace

Tensor attend(const Tensor& queries, const HeadMemory& memory, const Visible& visible,
              const WeightDropout& dropout) {
  return attend_given(queries, memory, visible, dropout, false).first;
}

std::pair<Tensor, Tensor> attend_with_weights(const Tensor& queries, const HeadMemory& memory,
                                              const Visible& visible, const WeightDropout& dropout) {
  return attend_given(queries, memory, visible, dropout, true);
}

}  // namespace seq2seq
