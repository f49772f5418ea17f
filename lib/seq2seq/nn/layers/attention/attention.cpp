#include "seq2seq/nn/layers/attention/attention.h"

#include <ATen/ATen.h>

#include "seq2seq/nn/layers/initializer.h"
#include "seq2seq/nn/layers/linear.h"
#include "seq2seq/nn/ops/memory_products.h"

namespace seq2seq {

AttentionView Attention::prepare(const Tensor& states, const Tensor& mask) {
  AttentionView view{states, mask};
  prepare_view(view);
  view.coverage_gates = coverage_->gates(states);
  return view;
}

AttentionResult Attention::forward(const Tensor& query, const AttentionView& view, const CoverageState& past,
                                   const Tensor& bias) {
  Tensor compared = scores(query, view, past);  // [B, K * heads, S]
  if (bias.defined()) compared = by_sentence(by_row(compared) + bias.unsqueeze(1), view).flatten(1, 2);
  const Tensor masked = compared + (view.penalty.defined() ? view.penalty : penalty_of(view.mask));
  const Tensor looked = weights(masked, query, view);
  const Tensor first = by_row(looked).select(1, 0);  // [N, S]
  const Tensor found = context(looked, view);
  return {found, first, coverage_->next(past, first, query, view.coverage_gates)};
}

Tensor Attention::penalty_of(const Tensor& mask) {
  return mask.logical_not().unsqueeze(1) * -1e9;  // float32, which is exact
}

Tensor Attention::weights(const Tensor& scores, const Tensor&, const AttentionView&) {
  return scores.softmax(2);
}

Tensor Attention::context(const Tensor& weights, const AttentionView& view) {
  return weighted_states(weights, view.states).flatten(0, 1);
}

Tensor Attention::by_sentence(const Tensor& rows, const AttentionView& view) {
  return rows.unflatten(0, {-1, rows.size(0) / view.states.size(0)});
}

Tensor Attention::by_row(const Tensor& by_head) const {
  return by_head.unflatten(1, {by_head.size(1) / widths_.heads, widths_.heads}).flatten(0, 1);
}

Tensor Attention::products(const Tensor& queries, const AttentionView& view, const CoverageState& past) {
  const Tensor& keys = view.keys.defined() ? view.keys : view.states;
  const Tensor compared = states_dot(by_sentence(queries, view).flatten(1, 2), keys);  // [B, K * heads, S]
  const Tensor cells = coverage_->cells(past);                                         // [N, S, D]
  if (!cells.defined()) return compared;
  // q . (k_i + U c_i) = q . k_i + c_i . (U^T q)
  const Tensor covered = queries.matmul(coverage_->weight).matmul(cells.transpose(1, 2));  // [N, heads, S]
  return compared + by_sentence(covered, view).flatten(1, 2);
}

void Attention::initialize(Initializer& initializer) {
  for (const Tensor& own : parameters(/*recurse=*/false)) initializer.uniform(own);
  for (const auto& child : children()) child->as<Linear>()->initialize(initializer);
}

}  // namespace seq2seq
