#include "seq2seq/nn/ops/memory_products.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/functions/utils.h>

#include "seq2seq/nn/engine/gathered_gradients.h"

namespace seq2seq {
namespace {

using torch::autograd::variable_list;

// The gradient of both products with respect to the states is the sum over steps of left^T right, where left
// is [B, K, S] and right [B, K, H].
struct GatheredStates : torch::autograd::Node {
  explicit GatheredStates(const Tensor& states_)
      : Node(torch::autograd::collect_next_edges(states_)), states(states_.detach()) {
    add_input_metadata(undefined_input());
  }
  variable_list apply(variable_list&&) override {
    const Tensor gradient = at::cat(left, 1).transpose(1, 2).bmm(at::cat(right, 1));  // [B, S, H]
    release_variables();
    return {gradient};
  }
  void release_variables() override {
    left.clear();
    right.clear();
  }

  Tensor states;
  std::vector<Tensor> left, right;
};

// Node of either product; `factor` is the operand other than the states.
struct StatesProduct : torch::autograd::Node {
  StatesProduct(torch::autograd::edge_list edges, const Tensor& factor_, bool weighted_)
      : Node(std::move(edges)), factor(factor_.detach()), weighted(weighted_) {}
  variable_list apply(variable_list&& gradients) override {
    variable_list result(2);
    if (!gradients[0].defined()) return result;
    auto& gather = static_cast<GatheredStates&>(*next_edge(1).function);
    gather.left.push_back(weighted ? factor : gradients[0]);
    gather.right.push_back(weighted ? gradients[0] : factor);
    if (task_should_compute_output(0))
      result[0] = gradients[0].bmm(weighted ? gather.states.transpose(1, 2) : gather.states);
    return result;
  }
  void release_variables() override { factor.reset(); }

  Tensor factor;
  bool weighted;
};

Tensor states_product(const Tensor& factor, const Tensor& states, bool weighted) {
  const Tensor right = weighted ? states : states.transpose(1, 2);
  const auto gather = GatheredGradients::node_of<GatheredStates>(states);
  if (!gather) return factor.bmm(right);
  Tensor result;
  {
    const at::AutoDispatchBelowADInplaceOrView below;
    result = factor.bmm(right);
  }
  torch::autograd::edge_list edges = torch::autograd::collect_next_edges(factor);
  edges.emplace_back(gather, 0);
  torch::autograd::set_history(
      result, GatheredGradients::make_node<StatesProduct>(std::move(edges), factor, weighted));
  return result;
}

}  // namespace

Tensor states_dot(const Tensor& rows, const Tensor& states) {
  return states_product(rows, states, false);
}

Tensor weighted_states(const Tensor& weights, const Tensor& states) {
  return states_product(weights, states, true);
}

}  // namespace seq2seq
