#include "seq2seq/nn/engine/weight_store.h"

#include <ATen/ATen.h>

namespace seq2seq {
namespace {

Tensor panels_of(const Tensor& weight) {
  constexpr int64_t width = WeightStore::panel_width;
  const int64_t panels = (weight.size(0) + width - 1) / width;
  return at::constant_pad_nd(weight.detach(), {0, 0, 0, panels * width - weight.size(0)})
      .view({panels, width, weight.size(1)})
      .transpose(1, 2)
      .contiguous();
}

}  // namespace

WeightStore::WeightStore(const std::vector<Tensor>& weights) {
  for (const Tensor& weight : weights)
    if (weight.dim() == 2 && weight.is_cpu() && weight.scalar_type() == at::kFloat)
      entries_[weight.unsafeGetTensorImpl()] = {weight, {}};
}

Tensor WeightStore::packed(const Tensor& weight) {
  const auto found = entries_.find(weight.unsafeGetTensorImpl());
  if (found == entries_.end()) return {};
  const std::lock_guard lock(mutex_);
  if (!found->second.packed.defined()) found->second.packed = panels_of(weight);
  return found->second.packed;
}

}  // namespace seq2seq
