#include "seq2seq/nn/linear.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/jit/frontend/tracer.h>

#include <atomic>

#include "seq2seq/nn/gathered_gradients.h"

namespace seq2seq {
namespace {

using torch::autograd::variable_list;

thread_local bool plain_kernels = false;
std::atomic<int64_t> multiply_add_count = 0;

using OneDnnLinear = Tensor(const Tensor&, const Tensor&, const std::optional<Tensor>&, std::string_view,
                            c10::List<std::optional<at::Scalar>>, std::optional<std::string_view>);

// LibTorch offers oneDNN's inner product as an operator of its own; null where it was built without.
const std::optional<c10::OperatorHandle>& onednn_operator() {
  static const auto handle = [] {
    auto found = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
    return found && at::globalContext().hasMKLDNN() ? found : std::optional<c10::OperatorHandle>();
  }();
  return handle;
}

bool onednn_usable(const Tensor& x) {
  return x.scalar_type() == at::kFloat && fast_kernels_allowed(x) && x.numel() > 0 &&
         onednn_operator().has_value();
}

Tensor onednn_linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  static const auto call = onednn_operator()->typed<OneDnnLinear>();
  count_multiply_adds(x.numel() * weight.size(0));
  return call.call(x, weight, bias.defined() ? std::optional(bias) : std::nullopt, "none",
                   c10::List<std::optional<at::Scalar>>(), std::nullopt);
}

// dW = dY^T X. oneDNN copies a transposed left operand, so the smaller of the two becomes the left one.
Tensor weight_gradient(const Tensor& dy, const Tensor& x) {
  if (!onednn_usable(x)) {
    count_multiply_adds(x.numel() * dy.size(1));
    return dy.t().mm(x);
  }
  if (dy.size(1) <= x.size(1)) return onednn_linear(dy.t(), x.t(), {});
  return onednn_linear(x.t(), dy.t(), {}).t();
}

// Without a graph.
Tensor plain_product(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (onednn_usable(x)) return onednn_linear(x, weight, bias);
  count_multiply_adds(x.numel() * weight.size(0));
  return at::linear(x, weight, bias.defined() ? std::optional(bias) : std::nullopt);
}

class LinearFunction : public torch::autograd::Function<LinearFunction> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, const Tensor& weight,
                        const std::optional<Tensor>& bias) {
    context->save_for_backward({x, weight});
    context->saved_data["bias"] = bias.has_value();
    return onednn_linear(x, weight, bias.value_or(Tensor()));
  }

  static variable_list backward(torch::autograd::AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1];
    const Tensor dy = gradients[0].contiguous();
    const Tensor rows = dy.reshape({-1, weight.size(0)});  // [rows, O]
    Tensor dx, dweight, dbias;
    if (context->needs_input_grad(0)) dx = onednn_linear(dy, weight.t(), {});
    if (context->needs_input_grad(1)) dweight = weight_gradient(rows, x.reshape({-1, weight.size(1)}));
    if (context->saved_data["bias"].toBool() && context->needs_input_grad(2)) dbias = rows.sum(0);
    return {dx, dweight, dbias};
  }
};

// The weight of a product that a recurrence repeats.
struct GatheredWeight : torch::autograd::Node {
  GatheredWeight(const Tensor& weight_, const Tensor& bias_)
      : Node(torch::autograd::collect_next_edges(weight_, bias_)), weight(weight_), bias(bias_) {
    add_input_metadata(undefined_input());
  }
  variable_list apply(variable_list&&) override {
    const Tensor x = at::cat(inputs), dy = at::cat(gradients);  // [all rows, I], [all rows, O]
    release_variables();
    variable_list result(2);
    if (task_should_compute_output(0)) result[0] = weight_gradient(dy, x);
    if (task_should_compute_output(1)) result[1] = dy.sum(0);
    return result;
  }
  void release_variables() override {
    inputs.clear();
    gradients.clear();
  }

  Tensor weight, bias;
  std::vector<Tensor> inputs, gradients;  // of each use, in the order in which the gradients become known
};

// One of its products.
struct GatheredProduct : torch::autograd::Node {
  GatheredProduct(torch::autograd::edge_list edges, const Tensor& x)
      : Node(std::move(edges)), input(x.detach()) {}
  variable_list apply(variable_list&& gradients) override {
    variable_list result(2);
    if (!gradients[0].defined()) return result;
    auto& gather = static_cast<GatheredWeight&>(*next_edge(1).function);
    const Tensor dy = gradients[0].contiguous();
    gather.inputs.push_back(input.reshape({-1, input.size(-1)}));
    gather.gradients.push_back(dy.reshape({-1, dy.size(-1)}));
    if (task_should_compute_output(0)) result[0] = plain_product(dy, gather.weight.t(), {});
    return result;
  }
  void release_variables() override { input.reset(); }

  Tensor input;
};

Tensor gathered_product(const Tensor& x, const GatheredGradients::NodePointer& gather) {
  const auto& weight = static_cast<GatheredWeight&>(*gather);
  Tensor y;
  {
    const at::AutoDispatchBelowADInplaceOrView below;
    y = plain_product(x, weight.weight, weight.bias);
  }
  torch::autograd::edge_list edges = torch::autograd::collect_next_edges(x);
  edges.emplace_back(gather, 0);
  torch::autograd::set_history(y, GatheredGradients::make_node<GatheredProduct>(std::move(edges), x));
  return y;
}

}  // namespace

PlainKernels::PlainKernels() : previous_(plain_kernels) {
  plain_kernels = true;
}
PlainKernels::~PlainKernels() {
  plain_kernels = previous_;
}
bool PlainKernels::active() {
  return plain_kernels;
}

bool fast_kernels_allowed(const Tensor& x) {
  return !plain_kernels && x.is_cpu() && !torch::jit::tracer::isTracing();
}

int64_t multiply_adds() {
  return multiply_add_count.load(std::memory_order_relaxed);
}

void count_multiply_adds(int64_t count) {
  multiply_add_count.fetch_add(count, std::memory_order_relaxed);
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (const auto gather = GatheredGradients::node_of<GatheredWeight>(weight, bias))
    return gathered_product(x, gather);
  const bool differentiate = at::GradMode::is_enabled() && (x.requires_grad() || weight.requires_grad() ||
                                                            (bias.defined() && bias.requires_grad()));
  if (!onednn_usable(x)) {
    count_multiply_adds((differentiate ? 3 : 1) * x.numel() * weight.size(0));
    return at::linear(x, weight, bias.defined() ? std::optional(bias) : std::nullopt);
  }
  if (!differentiate) return onednn_linear(x, weight, bias);
  return LinearFunction::apply(x, weight, bias.defined() ? std::optional(bias) : std::nullopt);
}

Tensor matrix_product(const Tensor& a, const Tensor& b) {
  return onednn_usable(a) ? onednn_linear(a, b.t(), {}) : a.mm(b);
}

LinearImpl::LinearImpl(int64_t inputs, int64_t outputs, bool with_bias)
    : weight(register_parameter("weight", at::empty({outputs, inputs}))),
      bias(with_bias ? register_parameter("bias", at::empty({outputs})) : Tensor()) {}

}  // namespace seq2seq
