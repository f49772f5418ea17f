#pragma once

#include "seq2seq/nn/layers/attention/attention.h"

namespace seq2seq {

/// No attention: context and weights are zero (fixed-context models).
struct NoAttention {
  static constexpr const char* type = "none";
  static void fields(auto&, auto&) {}
  static void prepared(auto&, auto&&) {}
  bool operator==(const NoAttention&) const = default;
  class Layer;
};

class NoAttention::Layer : public Attention {
 public:
  Layer(const NoAttention&, const AttentionSizes& sizes) : Attention({.key = 0, .context = sizes.memory}) {}
  AttentionResult forward(const Tensor& query, const AttentionView& view, const CoverageState& past,
                          const Tensor& bias) override;
  bool is_distribution() const override { return false; }

 protected:
  /// Not called.
  Tensor scores(const Tensor&, const AttentionView&, const CoverageState&) override { return {}; }
};

}  // namespace seq2seq
