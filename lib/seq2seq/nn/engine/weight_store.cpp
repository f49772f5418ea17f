#include "seq2seq/nn/engine/weight_store.h"

#include <ATen/ATen.h>

#include <utility>

namespace seq2seq {

WeightStore::WeightStore(const std::vector<Tensor>& weights, WeightFormat format) : format_(format) {
  for (const Tensor& weight : weights)
    if (weight.dim() == 2 && weight.is_cpu() && weight.scalar_type() == at::kFloat)
      entries_[weight.unsafeGetTensorImpl()] = {weight, {}, {}};
}

void WeightStore::keep(const Tensor& weight, QuantizedWeight numbers) {
  entries_[weight.unsafeGetTensorImpl()] = {weight, std::move(numbers), {}};
}

const QuantizedWeight* WeightStore::rows(const Tensor& weight) {
  if (format_ == WeightFormat::float32) return nullptr;
  const auto found = entries_.find(weight.unsafeGetTensorImpl());
  if (found == entries_.end()) return nullptr;
  const std::lock_guard lock(mutex_);
  QuantizedWeight& rows = found->second.rows;
  if (!rows.values.defined()) {
    const WeightFormat format = format_of(weight, format_);
    if (format == WeightFormat::float32) return nullptr;
    rows = quantize(weight, format);
  }
  return &rows;
}

const PackedWeight* WeightStore::packed(const Tensor& weight) {
  const auto found = entries_.find(weight.unsafeGetTensorImpl());
  if (found == entries_.end()) return nullptr;
  const std::lock_guard lock(mutex_);
  auto& [own, rows, packed] = found->second;
  if (!packed.values.defined())
    packed = rows.values.defined() ? pack(rows) : pack(own, format_of(own, format_));
  return &packed;
}

}  // namespace seq2seq
