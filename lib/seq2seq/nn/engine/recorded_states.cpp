#include "seq2seq/nn/engine/recorded_states.h"

#include "seq2seq/nn/engine/compute.h"

namespace seq2seq {

bool RecordedStates::active() {
  return Compute::now().recorded != nullptr;
}

void RecordedStates::add(const torch::nn::Module& module, const Entry& entry) {
  if (active()) Compute::now().recorded->states_[&module].push_back(entry);
}

const std::vector<RecordedStates::Entry>& RecordedStates::of(const torch::nn::Module& module) const {
  static const std::vector<Entry> none;
  const auto found = states_.find(&module);
  return found == states_.end() ? none : found->second;
}

}  // namespace seq2seq
