#include "seq2seq/nn/engine/onednn.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <optional>

namespace seq2seq {
namespace {

using LinearOperator = Tensor(const Tensor&, const Tensor&, const std::optional<Tensor>&, std::string_view,
                              c10::List<std::optional<at::Scalar>>, std::optional<std::string_view>);
using ReorderOperator = Tensor(const Tensor&, std::optional<c10::SymInt>);

// Number of rows to pack for. The layout hardly depends on it, except that a single row gets a different one.
constexpr int64_t typical_rows = 64;

std::optional<c10::OperatorHandle> find_operator(const char* name) {
  auto found = c10::Dispatcher::singleton().findSchema({name, ""});
  return found && at::globalContext().hasMKLDNN() ? found : std::nullopt;
}

const std::optional<c10::OperatorHandle>& linear_operator() {
  static const auto handle = find_operator("mkldnn::_linear_pointwise");
  return handle;
}

const std::optional<c10::OperatorHandle>& reorder_operator() {
  static const auto handle = find_operator("mkldnn::_reorder_linear_weight");
  return handle;
}

}  // namespace

bool onednn_offers_products() {
  return linear_operator().has_value();
}

bool onednn_offers_packing() {
  return onednn_offers_products() && reorder_operator().has_value();
}

Tensor onednn_product(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  static const auto call = linear_operator()->typed<LinearOperator>();
  return call.call(x, weight, bias.defined() ? std::optional(bias) : std::nullopt, "none",
                   c10::List<std::optional<at::Scalar>>(), std::nullopt);
}

Tensor onednn_packed(const Tensor& weight) {
  static const auto call = reorder_operator()->typed<ReorderOperator>();
  return call.call(weight.detach(), c10::SymInt(typical_rows));
}

}  // namespace seq2seq
