#include "seq2seq/nn/ops/additive_scores.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/functions/utils.h>

#include "seq2seq/nn/engine/gathered_gradients.h"
#include "seq2seq/nn/ops/checked.h"
#include "seq2seq/nn/ops/kernel_sets.h"
#include "seq2seq/nn/ops/optional_operands.h"

namespace seq2seq {
namespace {

using torch::autograd::variable_list;

// The keys, shared by all steps; each step adds its contribution to their gradient in place.
struct GatheredKeys : torch::autograd::Node {
  explicit GatheredKeys(const Tensor& keys) : Node(torch::autograd::collect_next_edges(keys)) {
    add_input_metadata(undefined_input());
  }
  variable_list apply(variable_list&&) override { return {std::move(gradient)}; }
  void release_variables() override { gradient.reset(); }

  Tensor gradient;  // [B, S, A]
};

// Edges: query, v, coverage, coverage weight, keys (or their gathering node).
struct AdditiveScores : torch::autograd::Node {
  AdditiveScores(torch::autograd::edge_list edges, const KernelSet& kernels_, AdditiveOperands operands_,
                 bool gathered_)
      : Node(std::move(edges)), kernels(kernels_), operands(std::move(operands_)), gathered(gathered_) {}
  variable_list apply(variable_list&& gradients) override {
    variable_list result(5);
    if (!gradients[0].defined()) return result;
    const Tensor& keys = operands.keys;
    Tensor& dkeys = gathered ? static_cast<GatheredKeys&>(*next_edge(4).function).gradient : result[4];
    if (!dkeys.defined()) dkeys = at::zeros_like(keys);
    result[0] = at::empty_like(operands.query);
    const Tensor dv_rows = at::empty({keys.size(0), keys.size(2)}, keys.options());  // [B, A]
    Tensor dweight_rows;
    if (operands.coverage.defined()) {
      result[2] = at::empty_like(operands.coverage);
      dweight_rows = at::empty_like(dv_rows);
    }
    kernels.additive_scores_backward(operands, gradients[0].contiguous(),
                                     {.keys = dkeys,
                                      .query = result[0],
                                      .v_rows = dv_rows,
                                      .coverage = result[2],
                                      .coverage_weight_rows = dweight_rows});
    result[1] = dv_rows.sum(0);
    if (dweight_rows.defined()) result[3] = dweight_rows.sum(0);
    return result;
  }
  void release_variables() override { operands = {}; }

  const KernelSet& kernels;
  AdditiveOperands operands;
  bool gathered;
};

Tensor detached(const Tensor& tensor) {
  return tensor.defined() ? tensor.detach() : tensor;
}

Tensor fused_additive_scores(const KernelSet& kernels, const AdditiveOperands& given) {
  const Tensor scores =
      at::empty({given.query.size(0), given.query.size(1), given.keys.size(1)}, given.keys.options());
  const AdditiveOperands operands{.keys = detached(given.keys),
                                  .query = detached(given.query),
                                  .v = detached(given.v),
                                  .mask = given.mask,
                                  .coverage = detached(given.coverage),
                                  .coverage_weight = detached(given.coverage_weight)};
  kernels.additive_scores(operands, scores);
  if (!torch::autograd::compute_requires_grad(given.keys, given.query, given.v, given.coverage,
                                              given.coverage_weight))
    return scores;
  auto edges =
      torch::autograd::collect_next_edges(given.query, given.v, given.coverage, given.coverage_weight);
  const auto gather = GatheredGradients::node_of<GatheredKeys>(given.keys);
  edges.push_back(gather ? torch::autograd::Edge(gather, 0)
                         : torch::autograd::impl::gradient_edge(given.keys));
  torch::autograd::set_history(scores, GatheredGradients::make_node<AdditiveScores>(
                                           std::move(edges), kernels, operands, gather != nullptr));
  return scores;
}

}  // namespace

Tensor additive_scores(const Tensor& keys, const Tensor& query, const Tensor& v, const Tensor& mask,
                       const Tensor& coverage, const Tensor& coverage_weight) {
  if (checking(keys))
    return checked("additive_scores", {keys, query, v, coverage, coverage_weight},
                   [&](const variable_list& x) {
                     const Tensor scores = additive_scores(x[0], x[1], x[2], mask, x[3], x[4]);
                     return variable_list{scores.masked_fill(mask.logical_not().unsqueeze(1), 0)};
                   })[0];
  if (const KernelSet* set = kernels_for(keys, &KernelSet::additive_scores))
    return fused_additive_scores(*set, {.keys = keys.contiguous(),
                                        .query = query.contiguous(),
                                        .v = v.contiguous(),
                                        .mask = mask.contiguous(),
                                        .coverage = contiguous_if_defined(coverage),
                                        .coverage_weight = contiguous_if_defined(coverage_weight)});
  Tensor compared = keys.unsqueeze(1) + query.unsqueeze(2);  // [B, K, S, A]
  if (coverage.defined()) compared = compared + coverage.unsqueeze(3) * coverage_weight;
  return at::tanh(compared).matmul(v);
}

}  // namespace seq2seq
