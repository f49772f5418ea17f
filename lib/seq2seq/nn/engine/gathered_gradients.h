#pragma once

#include <torch/csrc/autograd/edge.h>
#include <torch/csrc/autograd/function.h>

#include <functional>
#include <memory>
#include <typeindex>
#include <vector>

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// While one is `Compute::gather`, functions that a recurrence calls at every step with the same weight or
/// the same memory make its gradient with one product over all steps, when the last of them is known, instead
/// of one product and one sum a step. The steps keep what that takes until then. The results are those of
/// plain autograd.
///
/// Each such tensor is represented in the graph by one node; every step adds its share to the node and hands
/// it an undefined gradient, so that the node runs after all of them.
class GatheredGradients {
 public:
  /// Counted by whatever this LibTorch counts the nodes of its graphs with.
  using NodePointer = decltype(torch::autograd::Edge::function);
  template <class Node, class... Arguments>
  static NodePointer make_node(Arguments&&... arguments);

  /// The node that gathers for `tensor` now, made at its first use. Null when nothing gathers, when `tensor`
  /// needs no gradient, in plain computing and while tracing: the caller then leaves the gradient to
  /// autograd.
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
