#pragma once

#include <torch/csrc/autograd/edge.h>
#include <torch/csrc/autograd/function.h>

#include <functional>
#include <memory>
#include <typeindex>
#include <vector>

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// While one is `Compute::gather`, the gradient of a weight or memory that a recurrence uses at every
/// step is computed by one product over all steps, after the backward pass of the last of them,
/// instead of one product and one sum per step. The operands of the steps are kept until then. Results
/// equal those of autograd.
///
/// Each such tensor is represented in the graph by one node; every step adds its contribution to the node and
/// passes it an undefined gradient, so that the node runs after all of them.
class GatheredGradients {
 public:
  /// The reference-counted pointer with which this version of LibTorch holds graph nodes.
  using NodePointer = decltype(torch::autograd::Edge::function);
  template <class Node, class... Arguments>
  static NodePointer make_node(Arguments&&... arguments);

  /// The gathering node of `tensor`, created at its first use. Null when nothing gathers, `tensor` needs no
  /// gradient, gradients are disabled or plain operations compute (plain_now): the caller then provides for
  /// the gradient itself.
  template <class Node, class... Arguments>
  static NodePointer node_of(const Tensor& tensor, const Arguments&... arguments);

 private:
  static NodePointer find_or_make(const Tensor& tensor, std::type_index type,
                                  const std::function<NodePointer()>& make);
  struct Entry {
    Tensor tensor;
    std::type_index type;
    NodePointer node;
  };
  std::vector<Entry> entries_;
};

template <class Node, class... Arguments>
GatheredGradients::NodePointer GatheredGradients::make_node(Arguments&&... arguments) {
  if constexpr (std::is_same_v<NodePointer, std::shared_ptr<torch::autograd::Node>>)
    return std::make_shared<Node>(std::forward<Arguments>(arguments)...);
  else
    return c10::make_intrusive<Node>(std::forward<Arguments>(arguments)...);
}

template <class Node, class... Arguments>
GatheredGradients::NodePointer GatheredGradients::node_of(const Tensor& tensor,
                                                          const Arguments&... arguments) {
  return find_or_make(tensor, typeid(Node), [&] { return make_node<Node>(tensor, arguments...); });
}

}  // namespace seq2seq
