#include "seq2seq/nn/engine/weight_store.h"

#include <ATen/ATen.h>

#include "seq2seq/nn/engine/capabilities.h"
#include "seq2seq/nn/engine/onednn.h"

namespace seq2seq {

WeightStore::WeightStore(const std::vector<Tensor>& weights) {
  if (!has_onednn_packed_products()) return;
  for (const Tensor& weight : weights)
    if (weight.dim() == 2 && weight.is_cpu() && weight.scalar_type() == at::kFloat)
      entries_[weight.unsafeGetTensorImpl()] = {weight, {}};
}

Tensor WeightStore::packed(const Tensor& weight) {
  const auto found = entries_.find(weight.unsafeGetTensorImpl());
  if (found == entries_.end()) return {};
  const std::lock_guard lock(mutex_);
  if (!found->second.packed.defined()) found->second.packed = onednn_packed(weight);
  return found->second.packed;
}

}  // namespace seq2seq
