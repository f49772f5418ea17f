#include "seq2seq/nn/engine/onednn.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <optional>

namespace seq2seq {
namespace {

using LinearOperator = Tensor(const Tensor&, const Tensor&, const std::optional<Tensor>&, std::string_view,
                              c10::List<std::optional<at::Scalar>>, std::optional<std::string_view>);

std::optional<c10::OperatorHandle> find_operator(const char* name) {
  auto found = c10::Dispatcher::singleton().findSchema({name, ""});
  return found && at::globalContext().hasMKLDNN() ? found : std::nullopt;
}

const std::optional<c10::OperatorHandle>& linear_operator() {
  static const auto handle = find_operator("mkldnn::_linear_pointwise");
  return handle;
}

}  // namespace

bool onednn_offers_products() {
  return linear_operator().has_value();
}

Tensor onednn_product(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  static const auto call = linear_operator()->typed<LinearOperator>();
  return call.call(x, weight, bias.defined() ? std::optional(bias) : std::nullopt, "none",
                   c10::List<std::optional<at::Scalar>>(), std::nullopt);
}

}  // namespace seq2seq
