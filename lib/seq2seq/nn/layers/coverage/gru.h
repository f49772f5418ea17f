#pragma once

#include "seq2seq/nn/layers/coverage/coverage.h"
#include "seq2seq/nn/layers/linear.h"

namespace seq2seq {

/// c_i = GRU(c_i; attention to i, m_i, q) (Tu et al. 2016, eq. 8)
struct GruCoverage {
  static constexpr const char* type = "gru";
  static constexpr int64_t cell_size = 10;  ///< D
  static void fields(auto&, auto&) {}
  static void state(auto& coverage, auto&& f) {
    f(coverage.sum);
    f(coverage.cells);
  }
  static void prepared(auto& view, auto&& f) { f(view.coverage_gates); }
  bool operator==(const GruCoverage&) const = default;
  class Layer;
};

class GruCoverage::Layer : public Coverage {
 public:
  /// Registers its parameters with `owner`.
  Layer(const GruCoverage& options, torch::nn::Module& owner, const CoverageSizes& sizes);
  CoverageState start(const Tensor& states) const override;
  /// [B, S, 3D]
  Tensor gates(const Tensor& states) override { return state_gates_->forward(states); }
  CoverageState next(const CoverageState& past, const Tensor& weights, const Tensor& query,
                     const Tensor& gates) override;
  Tensor cells(const CoverageState& past) const override { return past.cells; }

 private:
  Linear state_gates_{nullptr}, query_gates_{nullptr}, cell_gates_{nullptr};
  Tensor attention_gates_;  // [3D]
};

}  // namespace seq2seq
