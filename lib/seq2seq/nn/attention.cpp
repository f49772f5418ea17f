#include "seq2seq/nn/attention.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/functions/utils.h>

#include "seq2seq/nn/gathered_gradients.h"
#include "seq2seq/nn/kernels.h"
#include "seq2seq/nn/memory_products.h"

namespace seq2seq {
namespace {

constexpr const char* kind_names[] = {"none", "dot", "general", "additive"};

using torch::autograd::variable_list;

// The keys that every step compares its query with; the shares of their gradient are summed up in place.
struct GatheredKeys : torch::autograd::Node {
  explicit GatheredKeys(const Tensor& keys) : Node(torch::autograd::collect_next_edges(keys)) {
    add_input_metadata(undefined_input());
  }
  variable_list apply(variable_list&&) override { return {std::move(gradient)}; }
  void release_variables() override { gradient.reset(); }

  Tensor gradient;  // [B, S, A]
};

// Edges: query, v, keys (or what gathers for them).
struct AdditiveScores : torch::autograd::Node {
  AdditiveScores(torch::autograd::edge_list edges, variable_list tensors, bool gathered_)
      : Node(std::move(edges)), saved(std::move(tensors)), gathered(gathered_) {}
  variable_list apply(variable_list&& gradients) override {
    if (!gradients[0].defined()) return variable_list(3);
    const Tensor &keys = saved[0], &query = saved[1], &v = saved[2], &mask = saved[3];
    const Tensor score_gradient = gradients[0].contiguous();
    Tensor own;
    Tensor& dkeys = gathered ? static_cast<GatheredKeys&>(*next_edge(2).function).gradient : own;
    if (!dkeys.defined()) dkeys = at::zeros_like(keys);
    const Tensor dquery = at::empty_like(query);
    const Tensor dv_rows = at::empty({keys.size(0), keys.size(2)}, keys.options());  // [B, A]
    AT_DISPATCH_FLOATING_TYPES(keys.scalar_type(), "additive_scores_backward", [&] {
      kernels::additive_scores_backward(
          keys.const_data_ptr<scalar_t>(), query.const_data_ptr<scalar_t>(), v.const_data_ptr<scalar_t>(),
          mask.const_data_ptr<bool>(), score_gradient.const_data_ptr<scalar_t>(),
          dkeys.mutable_data_ptr<scalar_t>(), dquery.mutable_data_ptr<scalar_t>(),
          dv_rows.mutable_data_ptr<scalar_t>(), keys.size(0), query.size(1), keys.size(1), keys.size(2));
    });
    return {dquery, dv_rows.sum(0), own};
  }
  void release_variables() override { saved.clear(); }

  variable_list saved;  // keys, query, v, mask
  bool gathered;
};

// All contiguous.
Tensor fused_additive_scores(const Tensor& keys, const Tensor& query, const Tensor& v, const Tensor& mask) {
  const Tensor scores = at::empty({query.size(0), query.size(1), keys.size(1)}, keys.options());  // [B, K, S]
  AT_DISPATCH_FLOATING_TYPES(keys.scalar_type(), "additive_scores", [&] {
    kernels::additive_scores(keys.const_data_ptr<scalar_t>(), query.const_data_ptr<scalar_t>(),
                             v.const_data_ptr<scalar_t>(), mask.const_data_ptr<bool>(),
                             scores.mutable_data_ptr<scalar_t>(), keys.size(0), query.size(1), keys.size(1),
                             keys.size(2));
  });
  if (!torch::autograd::compute_requires_grad(keys, query, v)) return scores;
  auto edges = torch::autograd::collect_next_edges(query, v);
  const auto gather = GatheredGradients::node_of<GatheredKeys>(keys);
  edges.push_back(gather ? torch::autograd::Edge(gather, 0) : torch::autograd::impl::gradient_edge(keys));
  torch::autograd::set_history(
      scores, GatheredGradients::make_node<AdditiveScores>(
                  std::move(edges), variable_list{keys.detach(), query.detach(), v.detach(), mask},
                  gather != nullptr));
  return scores;
}

}  // namespace

std::span<const char* const> option_names(AttentionKind) {
  return kind_names;
}

Tensor additive_scores(const Tensor& keys, const Tensor& query, const Tensor& v, const Tensor& mask) {
  if (fast_kernels_allowed(keys))
    return fused_additive_scores(keys.contiguous(), query.contiguous(), v.contiguous(), mask.contiguous());
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
    scores = states_dot(query.view({sentences, hypotheses, -1}), keys);
  const Tensor weights = scores.masked_fill(mask.logical_not().unsqueeze(1), -1e9).softmax(2);  // [B, K, S]
  return {weighted_states(weights, states).view({query.size(0), -1}), weights.view({query.size(0), -1})};
}

}  // namespace seq2seq
