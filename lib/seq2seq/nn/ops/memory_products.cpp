#include "seq2seq/nn/ops/memory_products.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/functions/utils.h>

#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/engine/gathered_gradients.h"
#include "seq2seq/nn/ops/checked.h"
#include "seq2seq/nn/ops/kernel_sets.h"

namespace seq2seq {
namespace {

using torch::autograd::variable_list;

// Either product, of `factor` and the states.
Tensor plain_product(const Tensor& factor, const Tensor& states, bool weighted) {
  return factor.bmm(weighted ? states : states.transpose(1, 2));
}

// Records no graph.
Tensor unrecorded_product(const Tensor& factor, const Tensor& states, bool weighted) {
  if (checking(states)) {
    const at::NoGradGuard no_grad;
    const auto product = [weighted](const variable_list& x) {
      return variable_list{unrecorded_product(x[0], x[1], weighted)};
    };
    return checked(weighted ? "weighted_states" : "states_dot", {factor.detach(), states.detach()}, product,
                   OperationContains::products)[0];
  }
  const auto operation = weighted ? &KernelSet::weighted_states : &KernelSet::states_dot;
  const KernelSet* set = kernels_for(states, operation);
  if (set == nullptr || factor.scalar_type() != states.scalar_type() || factor.device() != states.device())
    return plain_product(factor, states, weighted);
  check_shape("factor of states", factor, {states.size(0), -1, states.size(weighted ? 1 : 2)});
  const Tensor product =
      at::empty({states.size(0), factor.size(1), states.size(weighted ? 2 : 1)}, states.options());
  (set->*operation)(factor.contiguous(), states.contiguous(), product);
  return product;
}

// The gradient of both products with respect to the states is the sum over steps of left^T right, where left
// is [B, K, S] and right [B, K, H].
struct GatheredStates : torch::autograd::Node {
  explicit GatheredStates(const Tensor& states_)
      : Node(torch::autograd::collect_next_edges(states_)), states(states_.detach()) {
    add_input_metadata(undefined_input());
    // Once here rather than at every step.
    if (kernels_for(states, &KernelSet::states_dot) != nullptr) states = states.contiguous();
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
      : Node(std::move(edges)),
        factor(factor_.detach()),
        weighted(weighted_),
        compute(Compute::now().kept()) {}
  variable_list apply(variable_list&& gradients) override {
    variable_list result(2);
    if (!gradients[0].defined()) return result;
    auto& gather = static_cast<GatheredStates&>(*next_edge(1).function);
    gather.left.push_back(weighted ? factor : gradients[0]);
    gather.right.push_back(weighted ? gradients[0] : factor);
    const ComputeScope scope(compute);
    // The gradient with respect to the factor of one product is the other product.
    if (task_should_compute_output(0)) result[0] = unrecorded_product(gradients[0], gather.states, !weighted);
    return result;
  }
  void release_variables() override { factor.reset(); }

  Tensor factor;
  bool weighted;
  Compute compute;
};

Tensor states_product(const Tensor& factor, const Tensor& states, bool weighted) {
  const auto gather = GatheredGradients::node_of<GatheredStates>(states);
  if (!gather)
    return torch::autograd::compute_requires_grad(factor, states)
               ? plain_product(factor, states, weighted)
               : unrecorded_product(factor, states, weighted);
  Tensor result;
  {
    const at::AutoDispatchBelowADInplaceOrView below;
    result = unrecorded_product(factor, static_cast<const GatheredStates&>(*gather).states, weighted);
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
