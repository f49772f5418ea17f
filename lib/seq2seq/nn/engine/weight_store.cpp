#include "seq2seq/nn/engine/weight_store.h"

#include <ATen/ATen.h>

#include <span>

#include "seq2seq/core/mapped_file.h"

namespace seq2seq {
namespace {

Tensor panels_of(const Tensor& weight) {
  constexpr int64_t width = WeightStore::panel_width;
  const Tensor rows = weight.detach().contiguous();
  const int64_t count = rows.size(0), inputs = rows.size(1), panels = (count + width - 1) / width;
  const Tensor result = at::empty({panels, inputs, width}, rows.options());
  const float* from = rows.const_data_ptr<float>();
  float* to = result.mutable_data_ptr<float>();
  for (int64_t first = 0; first < count; first += width, from += width * inputs)
    for (int64_t i = 0; i < inputs; ++i)
      for (int64_t lane = 0; lane < width; ++lane)
        *to++ = first + lane < count ? from[lane * inputs + i] : 0.0F;
  release_if_mapped(
      std::as_bytes(std::span(rows.const_data_ptr<float>(), static_cast<size_t>(rows.numel()))));
  return result;
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
