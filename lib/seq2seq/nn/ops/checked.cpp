#include "seq2seq/nn/ops/checked.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/jit/frontend/tracer.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>

#include "seq2seq/core/error.h"
#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/engine/gathered_gradients.h"

namespace seq2seq {
namespace {

using torch::autograd::variable_list;

std::string shapes_of(const variable_list& tensors) {
  std::ostringstream text;
  for (const Tensor& tensor : tensors)
    if (tensor.defined()) text << (text.tellp() > 0 ? " " : "") << tensor.sizes();
  return text.str();
}

// `scale`: of numbers that may have cancelled in what is compared; their last bits do not count.
void compare(const std::string& what, const Tensor& fast, const Tensor& plain, const variable_list& inputs,
             double scale = 0) {
  if (!fast.defined() && !plain.defined()) return;
  const auto none_if_undefined = [](const Tensor& x, const Tensor& like) {  // no gradient is a gradient of 0
    return x.defined() ? x : at::zeros_like(like);
  };
  const Tensor a = none_if_undefined(fast, plain), b = none_if_undefined(plain, fast);
  const double difference = relative_difference(a, b), allowed = kernel_tolerance(b.scalar_type());
  if (difference <= allowed) return;
  const double last_bits = 16 * (b.scalar_type() == at::kDouble ? 0x1p-52 : 0x1p-23) * scale;
  if (std::isfinite(difference) && (a - b).abs().max().item<double>() <= last_bits) return;
  std::ostringstream text;
  text << "the fast kernel differs from the plain one by " << difference
       << " of the largest value (allowed: " << allowed << ") on " << shapes_of(inputs);
  throw Error(what, text.str(), "give --kernels plain, and report this");
}

// One of the two implementations on leaves of its own.
struct Run {
  variable_list inputs, outputs;

  Run(Kernels kernels, const variable_list& given,
      const std::function<variable_list(const variable_list&)>& operation) {
    for (const Tensor& x : given)
      inputs.push_back(x.defined() ? x.detach().requires_grad_(x.requires_grad()) : Tensor());
    Compute compute = Compute::now();
    compute.kernels = kernels;
    compute.gather = nullptr;
    const ComputeScope scope(compute);
    outputs = operation(inputs);
  }

  // By input; `gradients` by output, undefined ones allowed.
  variable_list gradients_of(const variable_list& gradients) const {
    variable_list from, with, to;
    for (size_t i = 0; i < outputs.size(); ++i)
      if (gradients[i].defined() && outputs[i].requires_grad()) {
        from.push_back(outputs[i]);
        with.push_back(gradients[i]);
      }
    for (const Tensor& x : inputs)
      if (x.defined() && x.requires_grad()) to.push_back(x);
    variable_list result(inputs.size());
    if (from.empty()) return result;
    const auto made = torch::autograd::grad(from, to, with, std::nullopt, /*create_graph=*/false,
                                            /*allow_unused=*/true);
    size_t next = 0;
    for (size_t i = 0; i < inputs.size(); ++i)
      if (inputs[i].defined() && inputs[i].requires_grad()) result[i] = made[next++];
    return result;
  }
};

struct Checked : torch::autograd::Node {
  Checked(torch::autograd::edge_list edges, const char* name_, Run fast_, Run plain_,
          std::vector<size_t> differentiable_)
      : Node(std::move(edges)),
        operation(name_),
        fast(std::move(fast_)),
        plain(std::move(plain_)),
        differentiable(std::move(differentiable_)) {}

  variable_list apply(variable_list&& given) override {
    const ComputeScope scope(compute);
    variable_list gradients(fast.outputs.size());
    for (size_t i = 0; i < differentiable.size(); ++i) gradients[differentiable[i]] = given[i];
    const variable_list result = fast.gradients_of(gradients), expected = plain.gradients_of(gradients);
    double largest = 0;
    for (const Tensor& gradient : gradients)
      if (gradient.defined() && gradient.numel() > 0)
        largest = std::max(largest, gradient.abs().max().item<double>());
    for (size_t i = 0; i < result.size(); ++i)
      compare(std::string(operation) + ", gradient of operand " + std::to_string(i), result[i], expected[i],
              fast.inputs, largest);
    return result;
  }

  const char* operation;
  const Compute compute = Compute::now().kept();
  Run fast, plain;
  std::vector<size_t> differentiable;  // outputs, in the order of this node's own
};

}  // namespace

bool checking(const Tensor& x) {
  return Compute::now().kernels == Kernels::check && at::isFloatingType(x.scalar_type()) &&
         !torch::jit::tracer::isTracing();
}

variable_list checked(const char* name, const variable_list& inputs,
                      const std::function<variable_list(const variable_list&)>& operation) {
  Run fast(Kernels::fast, inputs, operation), plain(Kernels::plain, inputs, operation);
  variable_list results;
  for (size_t i = 0; i < fast.outputs.size(); ++i) {
    compare(std::string(name) + ", output " + std::to_string(i), fast.outputs[i], plain.outputs[i], inputs);
    results.push_back(fast.outputs[i].detach());
  }
  std::vector<size_t> differentiable;
  variable_list with_history;
  for (size_t i = 0; i < results.size(); ++i)
    if (fast.outputs[i].requires_grad()) {
      differentiable.push_back(i);
      with_history.push_back(results[i]);
    }
  if (!with_history.empty())
    torch::autograd::set_history(
        with_history,
        GatheredGradients::make_node<Checked>(torch::autograd::collect_next_edges(inputs), name,
                                              std::move(fast), std::move(plain), std::move(differentiable)));
  return results;
}

double kernel_tolerance(at::ScalarType type) {
  if (type == at::kDouble) return 1e-10;
  return Compute::now().products == ProductFormat::bfloat16 ? 0.05 : 1e-4;
}

double relative_difference(const Tensor& a, const Tensor& b) {
  if (b.numel() == 0) return 0;
  const at::NoGradGuard no_grad;
  const Tensor x = a.to(at::kDouble), y = b.to(at::kDouble);
  if (a.isnan().any().item<bool>() || b.isnan().any().item<bool>())
    return std::numeric_limits<double>::infinity();
  const Tensor finite = y.isfinite();
  const double largest = y.abs().masked_fill(finite.logical_not(), 0).max().item<double>();
  const double difference = (x - y).abs().masked_fill(x.eq(y), 0).max().item<double>();
  return difference == 0 ? 0 : difference / std::max(largest, std::numeric_limits<double>::min());
}

}  // namespace seq2seq
