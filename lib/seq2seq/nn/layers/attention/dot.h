#pragma once

#include <string>

#include "seq2seq/nn/layers/attention/attention.h"

namespace seq2seq {

/// q . m (Luong et al. 2015)
struct DotAttention {
  static constexpr const char* type = "dot";
  static void fields(auto&, auto&) {}
  static void prepared(auto&, auto&&) {}
  /// Throws UsageError unless query and states have the same width.
  void check(const AttentionSizes& sizes, const std::string& place) const;
  bool operator==(const DotAttention&) const = default;
  class Layer;
};

class DotAttention::Layer : public Attention {
 public:
  Layer(const DotAttention&, const AttentionSizes& sizes)
      : Attention({.key = sizes.query, .context = sizes.memory}) {}

 protected:
  Tensor scores(const Tensor& query, const AttentionView& view, const CoverageState& past) override;
};

}  // namespace seq2seq
