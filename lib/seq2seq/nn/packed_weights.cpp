#include "seq2seq/nn/packed_weights.h"

#include <ATen/ATen.h>

#include <utility>

#include "seq2seq/nn/products.h"

namespace seq2seq {
namespace {

thread_local PackedWeights* packed_in_use = nullptr;

using Reorder = Tensor(const Tensor&, std::optional<c10::SymInt>);

const std::optional<c10::OperatorHandle>& reorder_operator() {
  static const auto handle = onednn_operator("mkldnn::_reorder_linear_weight");
  return handle;
}

// The layout depends on the number of rows but little; that of one row alone is another one.
constexpr int64_t typical_rows = 64;

}  // namespace

PackedWeights::PackedWeights(const std::vector<Tensor>& weights) {
  if (!reorder_operator()) return;
  for (const Tensor& weight : weights)
    if (weight.dim() == 2 && weight.is_cpu() && weight.scalar_type() == at::kFloat)
      entries_[weight.unsafeGetTensorImpl()] = {weight, {}};
}

Tensor PackedWeights::packed(const Tensor& weight) {
  const auto found = entries_.find(weight.unsafeGetTensorImpl());
  if (found == entries_.end()) return {};
  const std::lock_guard lock(mutex_);
  if (!found->second.packed.defined()) {
    static const auto reorder = reorder_operator()->typed<Reorder>();
    found->second.packed = reorder.call(weight.detach(), c10::SymInt(typical_rows));
  }
  return found->second.packed;
}

PackedWeights::Use::Use(PackedWeights* weights) : previous_(std::exchange(packed_in_use, weights)) {}

PackedWeights::Use::~Use() {
  packed_in_use = previous_;
}

PackedWeights* PackedWeights::in_use() {
  return packed_in_use;
}

}  // namespace seq2seq
