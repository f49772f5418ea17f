#include "seq2seq/nn/layers/attention.h"

#include <ATen/ATen.h>

#include <cmath>

#include "seq2seq/nn/layers/recurrent.h"
#include "seq2seq/nn/ops/additive_scores.h"
#include "seq2seq/nn/ops/memory_products.h"

namespace seq2seq {
namespace {

constexpr const char* kind_names[] = {"none", "dot", "general", "additive", "multi-head"};
constexpr const char* coverage_names[] = {"none", "linear", "gru"};

}  // namespace

std::span<const char* const> option_names(AttentionKind) {
  return kind_names;
}

std::span<const char* const> option_names(CoverageKind) {
  return coverage_names;
}

Tensor coverage_loss(const Tensor& attention, const Tensor& steps) {
  const Tensor before = attention.cumsum(1) - attention;  // [B, T, S]
  return (at::min(attention, before).sum(2) * steps.to(attention.scalar_type())).sum();
}

AttentionImpl::AttentionImpl(AttentionKind kind, int64_t query_size, int64_t memory_size, int64_t hidden_size,
                             CoverageKind coverage, int64_t heads)
    : kind_(kind),
      coverage_(coverage),
      context_size_(kind == AttentionKind::multi_head ? hidden_size : memory_size),
      heads_(heads) {
  TORCH_CHECK(kind != AttentionKind::none || coverage == CoverageKind::none, "coverage needs attention");
  if (kind == AttentionKind::dot)
    TORCH_CHECK(query_size == memory_size, "dot attention needs equal sizes, not ", query_size, " and ",
                memory_size);
  if (kind == AttentionKind::general) key_ = register_module("key", Linear(memory_size, query_size, false));
  if (kind == AttentionKind::additive) {
    query_ = register_module("query", Linear(query_size, hidden_size));
    key_ = register_module("key", Linear(memory_size, hidden_size, false));
    v_ = register_parameter("v", at::empty({hidden_size}));
  }
  if (kind == AttentionKind::multi_head) {
    TORCH_CHECK(hidden_size % heads == 0, heads, " heads do not divide ", hidden_size);
    query_ = register_module("query", Linear(query_size, hidden_size));
    key_ = register_module("key", Linear(memory_size, hidden_size, false));
    value_ = register_module("value", Linear(memory_size, hidden_size, false));
    head_of_ = register_buffer("head_of", at::eye(heads).repeat_interleave(hidden_size / heads, 1));
  }
  if (coverage == CoverageKind::none) return;
  const int64_t cells = coverage == CoverageKind::gru ? coverage_size : 1;
  coverage_weight_ = register_parameter(
      "coverage_weight",
      at::empty(
          {kind == AttentionKind::dot || kind == AttentionKind::general ? query_size : hidden_size, cells}));
  if (coverage == CoverageKind::gru) {
    state_gates_ = register_module("coverage_state", Linear(memory_size, 3 * cells));
    query_gates_ = register_module("coverage_query", Linear(query_size, 3 * cells, false));
    cell_gates_ = register_module("coverage_cell", Linear(cells, 3 * cells));
    attention_gates_ = register_parameter("coverage_attention", at::empty({3 * cells}));
  }
}

Tensor AttentionImpl::keys(const Tensor& states) {
  if (kind_ == AttentionKind::none || kind_ == AttentionKind::dot) return states;
  return key_->forward(states);
}

Tensor AttentionImpl::values(const Tensor& states) {
  return kind_ == AttentionKind::multi_head ? value_->forward(states) : Tensor();
}

Tensor AttentionImpl::coverage_gates(const Tensor& states) {
  return coverage_ == CoverageKind::gru ? state_gates_->forward(states) : Tensor();
}

Coverage AttentionImpl::start(const Tensor& states) const {
  if (coverage_ == CoverageKind::none) return {};
  const Tensor zeros = at::zeros_like(states.select(2, 0));  // [B, S]
  if (coverage_ == CoverageKind::linear) return {zeros, {}};
  return {zeros, at::zeros_like(states.narrow(2, 0, 1)).expand({-1, -1, coverage_size}).contiguous()};
}

Tensor AttentionImpl::scores(const Tensor& query, const View& view, const Coverage& past,
                             int64_t hypotheses) {
  const auto by_sentence = [&](const Tensor& rows) {  // [N, ...] -> [B, K, ...]
    return rows.unflatten(0, {-1, hypotheses});
  };
  if (kind_ == AttentionKind::additive) {
    const Tensor projected = by_sentence(query_->forward(query));  // [B, K, A]
    if (coverage_ == CoverageKind::none) return additive_scores(view.keys, projected, v_, view.mask);
    if (coverage_ == CoverageKind::linear)
      return additive_scores(view.keys, projected, v_, view.mask, by_sentence(past.sum),
                             coverage_weight_.select(1, 0));
    const Tensor covered = by_sentence(seq2seq::linear(past.cells, coverage_weight_));  // [B, K, S, A]
    return at::tanh(view.keys.unsqueeze(1) + projected.unsqueeze(2) + covered).matmul(v_);
  }
  const Tensor queries = kind_ == AttentionKind::multi_head ? one_query_a_head(query) : query.unsqueeze(1);
  const Tensor compared = states_dot(by_sentence(queries).flatten(1, 2), view.keys);  // [B, K * heads, S]
  if (coverage_ == CoverageKind::none) return compared;
  // q . (k_i + U c_i) = q . k_i + c_i . (U^T q)
  const Tensor cells = coverage_ == CoverageKind::gru ? past.cells : past.sum.unsqueeze(2);  // [N, S, D]
  const Tensor covered = queries.matmul(coverage_weight_).matmul(cells.transpose(1, 2));     // [N, heads, S]
  return compared + by_sentence(covered).flatten(1, 2);
}

Tensor AttentionImpl::one_query_a_head(const Tensor& query) {
  const double scale = 1.0 / std::sqrt(static_cast<double>(context_size_ / heads_));
  return (query_->forward(query) * scale).unsqueeze(1) * head_of_;  // [N, heads, A]
}

Coverage AttentionImpl::next(const Tensor& query, const View& view, const Coverage& past,
                             const Tensor& weights) {
  if (coverage_ == CoverageKind::none) return {};
  Coverage result{past.sum + weights, {}};
  if (coverage_ == CoverageKind::linear) return result;
  const int64_t hypotheses = query.size(0) / view.states.size(0), gates = 3 * coverage_size;
  const Tensor looked = view.coverage_gates.repeat_interleave(hypotheses, 0) +
                        query_gates_->forward(query).unsqueeze(1) + weights.unsqueeze(2) * attention_gates_;
  const Tensor cells = past.cells.reshape({-1, coverage_size});  // [N * S, D]
  result.cells = cell_step(Cell::gru, looked.reshape({-1, gates}), cell_gates_->forward(cells), {cells, {}})
                     .hidden.view_as(past.cells);
  return result;
}

AttentionResult AttentionImpl::forward(const Tensor& query, const View& view, const Coverage& past,
                                       const Tensor& bias) {
  const Tensor& states = view.states;
  const int64_t hypotheses = query.size(0) / states.size(0);
  const int64_t heads = kind_ == AttentionKind::multi_head ? heads_ : 1;
  if (kind_ == AttentionKind::none)
    return {at::zeros_like(states.select(1, 0)).repeat_interleave(hypotheses, 0),
            at::zeros_like(states.select(2, 0)).repeat_interleave(hypotheses, 0),
            {}};
  Tensor compared = scores(query, view, past, hypotheses);  // [B, K * heads, S]
  const auto by_row = [&](const Tensor& x) {                // [B, K * heads, ...] -> [N, heads, ...]
    return x.unflatten(1, {hypotheses, heads}).flatten(0, 1);
  };
  if (bias.defined())
    compared = (by_row(compared) + bias.unsqueeze(1)).unflatten(0, {-1, hypotheses}).flatten(1, 2);
  const Tensor weights =
      compared.masked_fill(view.mask.logical_not().unsqueeze(1), -1e9).softmax(2);  // [B, K * heads, S]
  const Tensor rows = by_row(weights).select(1, 0);                                 // [N, S]
  Tensor context;
  if (kind_ == AttentionKind::multi_head)  // of each head its own part of what it found
    context = (by_row(weighted_states(weights, view.values)) * head_of_).sum(1);
  else
    context = weighted_states(weights, states).flatten(0, 1);
  return {context, rows, next(query, view, past, rows)};
}

}  // namespace seq2seq
