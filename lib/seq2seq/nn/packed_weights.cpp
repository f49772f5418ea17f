#include "seq2seq/nn/packed_weights.h"

#include <ATen/ATen.h>

#include <utility>

#include "seq2seq/nn/engine/capabilities.h"
#include "seq2seq/nn/engine/onednn.h"

namespace seq2seq {
namespace {

thread_local PackedWeights* packed_in_use = nullptr;

}  // namespace

PackedWeights::PackedWeights(const std::vector<Tensor>& weights) {
  if (!has_onednn_packed_products()) return;
  for (const Tensor& weight : weights)
    if (weight.dim() == 2 && weight.is_cpu() && weight.scalar_type() == at::kFloat)
      entries_[weight.unsafeGetTensorImpl()] = {weight, {}};
}

Tensor PackedWeights::packed(const Tensor& weight) {
  const auto found = entries_.find(weight.unsafeGetTensorImpl());
  if (found == entries_.end()) return {};
  const std::lock_guard lock(mutex_);
  if (!found->second.packed.defined()) found->second.packed = onednn_packed(weight);
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
