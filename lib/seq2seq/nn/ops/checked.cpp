#include "seq2seq/nn/ops/checked.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/graph_task.h>

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

double largest_of(const variable_list& tensors) {
  double largest = 0;
  for (const Tensor& x : tensors)
    if (x.defined() && x.is_floating_point() && x.numel() > 0)
      largest = std::max(largest, x.detach().abs().max().item<double>());
  return largest;
}

struct Comparison {
  const char* operation;
  std::string operands;  // their sizes
  OperationContains contains;

  // `scale`: magnitude of the values that may have cancelled; differences in their last bits are allowed.
  void operator()(const std::string& what, const Tensor& fast, const Tensor& plain, double scale) const {
    if (!fast.defined() && !plain.defined()) return;
    const auto none_if_undefined = [](const Tensor& x, const Tensor& like) {  // no gradient = zeros
      return x.defined() ? x.detach() : at::zeros_like(like);
    };
    Tensor a = none_if_undefined(fast, plain), b = none_if_undefined(plain, fast);
    if (a.sizes() != b.sizes() || a.scalar_type() != b.scalar_type())
      refuse(what, "gives another shape or type");
    // NaN in both results comes from the operands, not from a kernel.
    const Tensor meaningless = a.isnan().logical_and(b.isnan());
    a = a.masked_fill(meaningless, 0);
    b = b.masked_fill(meaningless, 0);
    const double difference = relative_difference(a, b),
                 allowed = kernel_tolerance(b.scalar_type(), contains);
    if (difference <= allowed) return;
    const bool rounded = allowed > kernel_tolerance(b.scalar_type());
    const double last_bits = rounded ? 0x1p-8 : 16 * (b.scalar_type() == at::kDouble ? 0x1p-52 : 0x1p-23);
    if (std::isfinite(difference) && (a - b).abs().max().item<double>() <= last_bits * scale) return;
    std::ostringstream text;
    text << "differs from the plain one by " << difference << " of the largest value (allowed: " << allowed
         << ")";
    refuse(what, text.str());
  }

  [[noreturn]] void refuse(const std::string& what, const std::string& problem) const {
    throw Error(std::string(operation) + ", " + what, "the fast kernel " + problem + " on " + operands,
                "give --kernels plain, and report this");
  }
};

// A run of one of the two implementations on leaf tensors of its own.
struct Run {
  variable_list inputs, outputs;

  Run(Kernels kernels, const variable_list& given,
      const std::function<variable_list(const variable_list&)>& operation) {
    for (const Tensor& x : given) {
      const bool differentiate = x.defined() && x.requires_grad() && at::GradMode::is_enabled();
      // `x` itself where possible: a WeightStore finds weights by identity.
      inputs.push_back(differentiate ? x.detach().requires_grad_() : x);
    }
    Compute compute = Compute::now();
    compute.kernels = kernels;
    compute.gather = nullptr;
    const ComputeScope scope(compute);
    outputs = operation(inputs);
  }

  // Gradients of the inputs, from those of the outputs (undefined ones allowed).
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
    const auto made =
        torch::autograd::grad(from, to, with, torch::autograd::get_current_graph_task_keep_graph(),
                              /*create_graph=*/false, /*allow_unused=*/true);
    size_t next = 0;
    for (size_t i = 0; i < inputs.size(); ++i)
      if (inputs[i].defined() && inputs[i].requires_grad()) result[i] = made[next++];
    return result;
  }
};

struct Checked : torch::autograd::Node {
  Checked(torch::autograd::edge_list edges, Comparison compare_, Run fast_, Run plain_,
          std::vector<size_t> differentiable_)
      : Node(std::move(edges)),
        compare(std::move(compare_)),
        fast(std::move(fast_)),
        plain(std::move(plain_)),
        differentiable(std::move(differentiable_)) {}

  variable_list apply(variable_list&& given) override {
    const ComputeScope scope(compute);
    variable_list gradients(fast.outputs.size());
    for (size_t i = 0; i < differentiable.size(); ++i) gradients[differentiable[i]] = given[i];
    const variable_list result = fast.gradients_of(gradients), expected = plain.gradients_of(gradients);
    const double scale = largest_of(gradients);
    for (size_t i = 0; i < result.size(); ++i)
      compare("gradient of operand " + std::to_string(i), result[i], expected[i], scale);
    return result;
  }
  void release_variables() override {
    for (Run* run : {&fast, &plain}) {
      run->inputs.clear();
      run->outputs.clear();
    }
  }

  Comparison compare;
  const Compute compute = Compute::now().kept();
  Run fast, plain;
  std::vector<size_t> differentiable;  // indices of the outputs whose gradients this node receives
};

}  // namespace

bool checking(const Tensor& x) {
  return Compute::now().kernels == Kernels::check && !plain_now() && at::isFloatingType(x.scalar_type());
}

variable_list checked(const char* name, const variable_list& inputs,
                      const std::function<variable_list(const variable_list&)>& operation,
                      OperationContains contains) {
  const Comparison compare{name, shapes_of(inputs), contains};
  const double scale = largest_of(inputs);
  Run fast(Kernels::fast, inputs, operation), plain(Kernels::plain, inputs, operation);
  variable_list results;
  for (size_t i = 0; i < fast.outputs.size(); ++i) {
    const std::string what = "output " + std::to_string(i);
    compare(what, fast.outputs[i], plain.outputs[i], scale);
    if (plain.outputs[i].requires_grad() && !fast.outputs[i].requires_grad())
      compare.refuse(what, "gives no gradient");
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
        GatheredGradients::make_node<Checked>(torch::autograd::collect_next_edges(inputs), compare,
                                              std::move(fast), std::move(plain), std::move(differentiable)));
  return results;
}

double kernel_tolerance(at::ScalarType type, OperationContains contains) {
  if (type == at::kDouble) return 1e-10;
  if (contains != OperationContains::products) return 1e-4;
  if (Compute::now().products == ProductFormat::bfloat16) return 0.05;
  return at::globalContext().allowTF32CuBLAS() ? 0.01 : 1e-4;
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
