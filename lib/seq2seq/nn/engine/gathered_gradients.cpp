#include "seq2seq/nn/engine/gathered_gradients.h"

#include <ATen/core/grad_mode.h>

#include "seq2seq/nn/engine/compute.h"

namespace seq2seq {

GatheredGradients::NodePointer GatheredGradients::find_or_make(const Tensor& tensor, std::type_index type,
                                                               const std::function<NodePointer()>& make) {
  GatheredGradients* gather = Compute::now().gather;
  if (gather == nullptr || plain_now() || !at::GradMode::is_enabled() || !tensor.requires_grad()) return {};
  auto& entries = gather->entries_;
  for (const Entry& entry : entries)
    if (entry.tensor.is_same(tensor) && entry.type == type) return entry.node;
  entries.push_back({tensor, type, make()});
  return entries.back().node;
}

}  // namespace seq2seq
