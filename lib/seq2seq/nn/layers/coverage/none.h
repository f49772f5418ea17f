#pragma once

#include "seq2seq/nn/layers/coverage/coverage.h"

namespace seq2seq {

struct NoCoverage {
  static constexpr const char* type = "none";
  static void fields(auto&, auto&) {}
  static void state(auto&, auto&&) {}
  static void prepared(auto&, auto&&) {}
  bool operator==(const NoCoverage&) const = default;
  class Layer;
};

class NoCoverage::Layer : public Coverage {
 public:
  Layer(const NoCoverage&, torch::nn::Module&, const CoverageSizes&) {}
  CoverageState start(const Tensor&) const override { return {}; }
  Tensor gates(const Tensor&) override { return {}; }
  CoverageState next(const CoverageState&, const Tensor&, const Tensor&, const Tensor&) override {
    return {};
  }
  Tensor cells(const CoverageState&) const override { return {}; }
};

}  // namespace seq2seq
