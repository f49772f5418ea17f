#include "seq2seq/nn/gathered_gradients.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/jit/frontend/tracer.h>

#include <typeindex>
#include <vector>

namespace seq2seq {
namespace {

thread_local GatheredGradients* present = nullptr;

}  // namespace

struct GatheredGradients::Nodes {
  struct Entry {
    Tensor tensor;
    std::type_index type;
    NodePointer node;
  };
  std::vector<Entry> entries;
};

GatheredGradients::GatheredGradients() : nodes_(std::make_unique<Nodes>()), outer_(present) {
  present = this;
}

GatheredGradients::~GatheredGradients() {
  present = outer_;
}

GatheredGradients::NodePointer GatheredGradients::find_or_make(const Tensor& tensor,
                                                               const std::type_info& type,
                                                               const std::function<NodePointer()>& make) {
  if (present == nullptr || !at::GradMode::is_enabled() || !tensor.requires_grad() ||
      torch::jit::tracer::isTracing())
    return {};
  auto& entries = present->nodes_->entries;
  for (const auto& entry : entries)
    if (entry.tensor.is_same(tensor) && entry.type == std::type_index(type)) return entry.node;
  entries.push_back({tensor, std::type_index(type), make()});
  return entries.back().node;
}

}  // namespace seq2seq
