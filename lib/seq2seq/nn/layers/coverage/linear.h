#pragma once

#include "seq2seq/nn/layers/coverage/coverage.h"

namespace seq2seq {

/// c_i = the sum of past attention to i (See et al. 2017, eq. 10 and 11)
struct LinearCoverage {
  static constexpr const char* type = "linear";
  static void fields(auto&, auto&) {}
  static void state(auto& coverage, auto&& f) { f(coverage.sum); }
  static void prepared(auto&, auto&&) {}
  bool operator==(const LinearCoverage&) const = default;
  class Layer;
};

class LinearCoverage::Layer : public Coverage {
 public:
  /// Registers its parameters with `owner`.
  Layer(const LinearCoverage& options, torch::nn::Module& owner, const CoverageSizes& sizes);
  CoverageState start(const Tensor& states) const override;
  Tensor gates(const Tensor&) override { return {}; }
  CoverageState next(const CoverageState& past, const Tensor& weights, const Tensor& query,
                     const Tensor& gates) override;
  Tensor cells(const CoverageState& past) const override;
};

}  // namespace seq2seq
