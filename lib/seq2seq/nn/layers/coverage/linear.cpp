#include "seq2seq/nn/layers/coverage/linear.h"

#include <ATen/ATen.h>

namespace seq2seq {

LinearCoverage::Layer::Layer(const LinearCoverage&, torch::nn::Module& owner, const CoverageSizes& sizes) {
  weight = owner.register_parameter("coverage_weight", at::empty({sizes.key, 1}));
}

CoverageState LinearCoverage::Layer::start(const Tensor& states) const {
  return {at::zeros_like(states.select(2, 0)), {}};  // [B, S]
}

CoverageState LinearCoverage::Layer::next(const CoverageState& past, const Tensor& weights, const Tensor&,
                                          const Tensor&) {
  return {past.sum + weights, {}};
}

Tensor LinearCoverage::Layer::cells(const CoverageState& past) const {
  return past.sum.unsqueeze(2);  // [N, S, 1]
}

}  // namespace seq2seq
