#include "seq2seq/nn/attention.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "seq2seq/nn/kernels.h"

namespace seq2seq {
namespace {

constexpr const char* kind_names[] = {"none", "dot", "general", "additive"};

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class AdditiveScores : public torch::autograd::Function<AdditiveScores> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& keys, const Tensor& query, const Tensor& v,
                        const Tensor& mask) {
    context->save_for_backward({keys, query, v, mask});
    const Tensor scores =
        at::empty({query.size(0), query.size(1), keys.size(1)}, keys.options());  // [B, K, S]
    AT_DISPATCH_FLOATING_TYPES(keys.scalar_type(), "additive_scores", [&] {
      kernels::additive_scores(keys.const_data_ptr<scalar_t>(), query.const_data_ptr<scalar_t>(),
                               v.const_data_ptr<scalar_t>(), mask.const_data_ptr<bool>(),
                               scores.mutable_data_ptr<scalar_t>(), keys.size(0), query.size(1), keys.size(1),
                               keys.size(2));
    });
    return scores;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &keys = saved[0], &query = saved[1], &v = saved[2], &mask = saved[3];
    const Tensor score_gradient = gradients[0].contiguous();
    const Tensor dkeys = at::zeros_like(keys), dquery = at::empty_like(query);
    const Tensor dv_rows = at::empty({keys.size(0), keys.size(2)}, keys.options());  // [B, A]
    AT_DISPATCH_FLOATING_TYPES(keys.scalar_type(), "additive_scores_backward", [&] {
      kernels::additive_scores_backward(
          keys.const_data_ptr<scalar_t>(), query.const_data_ptr<scalar_t>(), v.const_data_ptr<scalar_t>(),
          mask.const_data_ptr<bool>(), score_gradient.const_data_ptr<scalar_t>(),
          dkeys.mutable_data_ptr<scalar_t>(), dquery.mutable_data_ptr<scalar_t>(),
          dv_rows.mutable_data_ptr<scalar_t>(), keys.size(0), query.size(1), keys.size(1), keys.size(2));
    });
    return {dkeys, dquery, dv_rows.sum(0), Tensor()};
  }
};

}  // namespace

std::span<const char* const> option_names(AttentionKind) {
  return kind_names;
}

Tensor additive_scores(const Tensor& keys, const Tensor& query, const Tensor& v, const Tensor& mask) {
  if (fast_kernels_allowed(keys))
    return AdditiveScores::apply(keys.contiguous(), query.contiguous(), v.contiguous(), mask.contiguous());
  return at::tanh(keys.unsqueeze(1) + query.unsqueeze(2)).matmul(v);  // [B, K, S, A] -> [B, K, S]
}

AttentionImpl::AttentionImpl(AttentionKind kind, int64_t query_size, int64_t memory_size, int64_t hidden_size)
    : kind_(kind) {
  if (kind == AttentionKind::dot)
    TORCH_CHECK(query_size == memory_size, "dot attention needs equal sizes, not ", query_size, " and ",
                memory_size);
  if (kind == AttentionKind::general) key_ = register_module("key", Linear(memory_size, query_size, false));
  if (kind == AttentionKind::additive) {
    query_ = register_module("query", Linear(query_size, hidden_size));
    key_ = register_module("key", Linear(memory_size, hidden_size, false));
    v_ = register_parameter("v", at::empty({hidden_size}));
  }
}

Tensor AttentionImpl::keys(const Tensor& states) {
  if (kind_ == AttentionKind::none || kind_ == AttentionKind::dot) return states;
  return key_->forward(states);
}

AttentionResult AttentionImpl::forward(const Tensor& query, const Tensor& states, const Tensor& keys,
                                       const Tensor& mask) {
  const int64_t sentences = states.size(0);
  const int64_t hypotheses = query.size(0) / sentences;
  if (kind_ == AttentionKind::none)
    return {at::zeros({query.size(0), states.size(2)}, states.options()),
            at::zeros({query.size(0), states.size(1)}, states.options())};
  Tensor scores;  // [B, K, S]
  if (kind_ == AttentionKind::additive)
    scores = additive_scores(keys, query_->forward(query).view({sentences, hypotheses, -1}), v_, mask);
  else
    scores = query.view({sentences, hypotheses, -1}).bmm(keys.transpose(1, 2));
  const Tensor weights = scores.masked_fill(mask.logical_not().unsqueeze(1), -1e9).softmax(2);  // [B, K, S]
  return {weights.bmm(states).view({query.size(0), -1}), weights.view({query.size(0), -1})};
}

}  // namespace seq2seq
