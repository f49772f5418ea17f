#include "seq2seq/nn/engine/weight_store.h"

#include <ATen/ATen.h>

#include <utility>

namespace seq2seq {

WeightStore::WeightStore(const std::vector<Tensor>& weights, WeightFormat format) : format_(format) {
  for (const Tensor& weight : weights)
    if (weight.dim() == 2 && weight.is_cpu() && weight.scalar_type() == at::kFloat)
      entries_[weight.unsafeGetTensorImpl()] = {weight, {}};
}

WeightStore::WeightStore(const Tensor& weight, PackedWeight packed) : format_(packed.format) {
  entries_[weight.unsafeGetTensorImpl()] = {weight, std::move(packed)};
}

const PackedWeight* WeightStore::packed(const Tensor& weight) {
  const auto found = entries_.find(weight.unsafeGetTensorImpl());
  if (found == entries_.end()) return nullptr;
  const std::lock_guard lock(mutex_);
  PackedWeight& packed = found->second.packed;
  if (!packed.values.defined()) packed = pack(weight, format_of(weight, format_));
  return &packed;
}

}  // namespace seq2seq
