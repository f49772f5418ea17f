#include "seq2seq/nn/layers/attention/none.h"

#include <ATen/ATen.h>

namespace seq2seq {

AttentionResult NoAttention::Layer::forward(const Tensor& query, const AttentionView& view,
                                            const CoverageState&, const Tensor&) {
  const int64_t hypotheses = query.size(0) / view.states.size(0);
  return {at::zeros_like(view.states.select(1, 0)).repeat_interleave(hypotheses, 0),
          at::zeros_like(view.states.select(2, 0)).repeat_interleave(hypotheses, 0),
          {}};
}

}  // namespace seq2seq
