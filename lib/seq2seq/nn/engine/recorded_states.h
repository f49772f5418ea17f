#pragma once

#include <torch/nn/module.h>

#include <map>
#include <vector>

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// States that modules computed while it was `Compute::recorded`, so that gradients with respect to them can
/// be requested: one entry per step [B, H] of a recurrent layer, one entry [B, S, D] of the inputs of a
/// Transformer. Recurrent layers then run the explicit loop: inside a fused layer the dependence of each
/// state on the one before is not part of the graph.
class RecordedStates {
 public:
  /// cell: of LSTMs, otherwise undefined.
  struct Entry {
    Tensor hidden, cell;
  };
  /// The states of one module, in the order in which they were computed.
  const std::vector<Entry>& of(const torch::nn::Module& module) const;

  /// Whether states are recorded on this thread.
  static bool active();
  /// Called by the module that computed the entry; no effect while nothing is recorded.
  static void add(const torch::nn::Module& module, const Entry& entry);

 private:
  std::map<const torch::nn::Module*, std::vector<Entry>> states_;
};

}  // namespace seq2seq
