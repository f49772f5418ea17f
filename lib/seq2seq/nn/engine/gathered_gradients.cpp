#include "seq2seq/nn/engine/gathered_gradients.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/jit/frontend/tracer.h>

#include "seq2seq/nn/engine/compute.h"

namespace seq2seq {

GatheredGradients::NodePointer GatheredGradients::find_or_make(const Tensor& tensor, std::type_index type,
                                                               const std::function<NodePointer()>& make) {
  const Compute& compute = Compute::now();
  if (compute.gather == nullptr || compute.kernels == Kernels::plain || !at::GradMode::is_enabled() ||
      !tensor.requires_grad() || torch::jit::tracer::isTracing())
    return {};
  auto& entries = compute.gather->entries_;
  for (const Entry& entry : entries)
    if (entry.tensor.is_same(tensor) && entry.type == type) return entry.node;
  entries.push_back({tensor, type, make()});
  return entries.back().node;
}

}  // namespace seq2seq
