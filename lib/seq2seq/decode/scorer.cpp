#include "seq2seq/decode/scorer.h"

#include <ATen/ATen.h>

namespace seq2seq {

void ModelScorer::begin(const SourceBatch& source) {
  memory_ = model_->encode(source.to(device_));
}

Expansion ModelScorer::advance(const Tensor& tokens, State& state, int64_t k,
                               const std::vector<int64_t>& banned) {
  Step step = model_->advance(*memory_, tokens, state);
  state = std::move(step.next);
  return {model_->output()->top_k(step, *memory_, k, banned), std::move(step.attention)};
}

}  // namespace seq2seq
