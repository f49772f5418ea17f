#pragma once

#include <torch/nn/module.h>

#include <map>
#include <vector>

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// What modules computed, state by state, so that gradients with respect to it can be asked for: keeps them
/// while it is `Compute::recorded`. Recurrent layers then take the explicit loop: of a fused layer only the
/// outputs are tensors of the graph, and they influence one another behind its back.
class RecordedStates {
 public:
  /// cell: of an LSTM, else undefined.
  struct Entry {
    Tensor hidden, cell;
  };
  /// Those of one module, in the order in which they were computed.
  const std::vector<Entry>& of(const torch::nn::Module& module) const;

  /// Whether somebody records on this thread.
  static bool active();
  /// By the module that computed it; nothing happens when nobody records.
  static void add(const torch::nn::Module& module, const Entry& entry);

 private:
  std::map<const torch::nn::Module*, std::vector<Entry>> states_;
};

}  // namespace seq2seq
