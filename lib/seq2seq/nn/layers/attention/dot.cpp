#include "seq2seq/nn/layers/attention/dot.h"

#include <ATen/ATen.h>

#include "seq2seq/core/error.h"

namespace seq2seq {

void DotAttention::check(const AttentionSizes& sizes, const std::string& place) const {
  if (sizes.query == sizes.memory) return;
  const std::string memory = std::to_string(sizes.memory);
  throw UsageError(place + "attention",
                   "dot compares vectors of equal size, but the decoder has " + std::to_string(sizes.query) +
                       " and the encoder " + memory,
                   "use general, or set " + place + "size to " + memory);
}

Tensor DotAttention::Layer::scores(const Tensor& query, const AttentionView& view,
                                   const CoverageState& past) {
  return products(query.unsqueeze(1), view, past);
}

}  // namespace seq2seq
