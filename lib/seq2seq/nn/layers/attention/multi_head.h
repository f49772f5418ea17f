#pragma once

#include <string>

#include "seq2seq/core/options.h"
#include "seq2seq/nn/layers/attention/attention.h"
#include "seq2seq/nn/layers/linear.h"

namespace seq2seq {

/// (W_q q) . (W_m m) / sqrt(d) in each of several heads of width d, each with its own part of the values
/// W_v m (Vaswani et al. 2017). Copying and coverage use the weights of the first head.
struct MultiHeadAttention {
  static constexpr const char* type = "multi-head";
  int64_t heads = 4;
  static void fields(auto& o, auto& f) {
    f("heads", o.heads, "heads of multi-head attention", in_range(1, 64));
  }
  static void prepared(auto& view, auto&& f) {
    f(view.keys);
    f(view.values);
  }
  /// Throws UsageError unless the number of heads divides the hidden width.
  void check(const AttentionSizes& sizes, const std::string& place) const;
  bool operator==(const MultiHeadAttention&) const = default;
  class Layer;
};

class MultiHeadAttention::Layer : public Attention {
 public:
  Layer(const MultiHeadAttention& options, const AttentionSizes& sizes);

 protected:
  void prepare_view(AttentionView& view) override;
  Tensor scores(const Tensor& query, const AttentionView& view, const CoverageState& past) override;
  Tensor context(const Tensor& weights, const AttentionView& view) override;

 private:
  double scale_;
  Linear query_{nullptr}, key_{nullptr}, value_{nullptr};
  Tensor head_of_;  // [heads, A] 1 where the column belongs to the head, else 0
};

}  // namespace seq2seq
