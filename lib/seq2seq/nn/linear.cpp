#include "seq2seq/nn/linear.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/jit/frontend/tracer.h>

namespace seq2seq {
namespace {

thread_local bool plain_kernels = false;

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
  return call.call(x, weight, bias.defined() ? std::optional(bias) : std::nullopt, "none",
                   c10::List<std::optional<at::Scalar>>(), std::nullopt);
}

// dW = dY^T X. oneDNN copies a transposed left operand, so the smaller of the two becomes the left one.
Tensor weight_gradient(const Tensor& dy, const Tensor& x) {
  if (dy.size(1) <= x.size(1)) return onednn_linear(dy.t(), x.t(), {});
  return onednn_linear(x.t(), dy.t(), {}).t();
}

class LinearFunction : public torch::autograd::Function<LinearFunction> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, const Tensor& weight,
                        const std::optional<Tensor>& bias) {
    context->save_for_backward({x, weight});
    context->saved_data["bias"] = bias.has_value();
    return onednn_linear(x, weight, bias.value_or(Tensor()));
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
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

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (!onednn_usable(x)) return at::linear(x, weight, bias.defined() ? std::optional(bias) : std::nullopt);
  const bool differentiate = at::GradMode::is_enabled() && (x.requires_grad() || weight.requires_grad() ||
                                                            (bias.defined() && bias.requires_grad()));
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
