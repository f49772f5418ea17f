#include "seq2seq/nn/ops/linear.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/functions/utils.h>

#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/engine/gathered_gradients.h"
#include "seq2seq/nn/engine/part_clock.h"
#include "seq2seq/nn/engine/products.h"
#include "seq2seq/nn/engine/weight_store.h"
#include "seq2seq/nn/ops/checked.h"
#include "seq2seq/nn/ops/kernel_sets.h"

namespace seq2seq {
namespace {

using torch::autograd::variable_list;

Tensor joined(const std::vector<Tensor>& parts) {
  return parts.size() == 1 ? parts.front() : at::cat(parts);
}

// Node of the weight and bias of one product, or of all products of a recurrence.
struct GatheredWeight : torch::autograd::Node {
  GatheredWeight(const Tensor& weight_, const Tensor& bias_)
      : Node(torch::autograd::collect_next_edges(weight_, bias_)),
        compute(Compute::now().kept()),
        weight(product_operand(weight_.detach())),
        bias(bias_.defined() ? bias_.detach() : bias_) {
    add_input_metadata(undefined_input());
  }
  variable_list apply(variable_list&&) override {
    const ComputeScope scope(compute);
    const Tensor x = joined(inputs), dy = joined(gradients);  // [all rows, I], [all rows, O]
    release_variables();
    variable_list result(2);
    if (task_should_compute_output(0)) result[0] = weight_gradient(product_operand(dy), x);
    if (task_should_compute_output(1)) result[1] = dy.sum(0);
    return result;
  }
  void release_variables() override {
    inputs.clear();
    gradients.clear();
  }

  Compute compute;
  Tensor weight, bias;
  std::vector<Tensor> inputs, gradients;  // one of each use, in the order of their backward passes
};

// Node of one product.
struct GatheredProduct : torch::autograd::Node {
  GatheredProduct(torch::autograd::edge_list edges, const Tensor& x) : Node(std::move(edges)), input(x) {}
  variable_list apply(variable_list&& gradients) override {
    variable_list result(2);
    if (!gradients[0].defined()) return result;
    auto& gather = static_cast<GatheredWeight&>(*next_edge(1).function);
    const ComputeScope scope(gather.compute);
    const Tensor dy = gradients[0].contiguous();
    gather.inputs.push_back(input.reshape({-1, input.size(-1)}));
    gather.gradients.push_back(dy.reshape({-1, dy.size(-1)}));
    if (task_should_compute_output(0)) result[0] = product(dy, gather.weight.t());
    return result;
  }
  void release_variables() override { input.reset(); }

  Tensor input;
};

Tensor differentiable_product(const Tensor& x, const GatheredGradients::NodePointer& gather) {
  const auto& weight = static_cast<GatheredWeight&>(*gather);
  const Tensor operand = product_operand(x.detach());  // also used by the gradient of the weight
  Tensor y;
  {
    const at::AutoDispatchBelowADInplaceOrView below;
    y = product(operand, weight.weight, weight.bias);
  }
  torch::autograd::edge_list edges = torch::autograd::collect_next_edges(x);
  edges.emplace_back(gather, 0);
  torch::autograd::set_history(y, GatheredGradients::make_node<GatheredProduct>(std::move(edges), operand));
  return y;
}

/// The product with the packed copy of `weight`; undefined where there is none.
Tensor packed_product(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  WeightStore* store = Compute::now().weights;
  if (store == nullptr || x.scalar_type() != at::kFloat || x.numel() == 0 ||
      Compute::now().products != ProductFormat::float32)
    return {};
  const KernelSet* set = kernels_for(x, &KernelSet::packed_product);
  const PackedWeight* packed = set == nullptr ? nullptr : store->packed(weight);
  if (packed == nullptr) return {};
  count_multiply_adds(x.numel() * weight.size(0));
  std::vector<int64_t> sizes = x.sizes().vec();
  sizes.back() = weight.size(0);
  const Tensor y = at::empty(sizes, x.options());
  set->packed_product(x.reshape({-1, x.size(-1)}).contiguous(), packed->panels(), bias,
                      y.view({-1, y.size(-1)}));
  return y;
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (checking(x))
    return checked(
        "linear", {x, weight, bias},
        [](const variable_list& operands) {
          return variable_list{linear(operands[0], operands[1], operands[2])};
        },
        OperationContains::products)[0];
  const bool differentiate = torch::autograd::compute_requires_grad(x, weight, bias);
  if (!differentiate) {
    const PartScope timed(Part::products);
    const Tensor y = packed_product(x, weight, bias);
    return y.defined() ? y : product(x, weight, bias);
  }
  if (plain_now()) {
    count_multiply_adds(2 * x.numel() * weight.size(0));  // of autograd's backward pass
    return product(x, weight, bias);
  }
  auto gather = GatheredGradients::node_of<GatheredWeight>(weight, bias);
  if (!gather) gather = GatheredGradients::make_node<GatheredWeight>(weight, bias);
  return differentiable_product(x, gather);
}

}  // namespace seq2seq
