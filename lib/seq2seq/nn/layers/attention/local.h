#pragma once

#include "seq2seq/core/options.h"
#include "seq2seq/nn/layers/attention/general.h"

namespace seq2seq {

/// Local attention with predicted positions, "local-p" (Luong et al. 2015, equations 9 and 10). A query
/// predicts the position p = S sigmoid(v_p . tanh(W_p q)) in a source of S tokens at positions 1 ... S.
/// Scores are those of `general`, restricted to the window [p - window, p + window]. Weights are the softmax
/// within the window times exp(-(s - p)^2 / (2 sigma^2)) at position s, sigma = window / 2. As in the paper
/// they are not renormalized, so that a row sums to between exp(-2) and 1, and the context shrinks with the
/// distance of its tokens from p. Nothing outside the window is copied, and the remainder of the attention
/// goes to generation (copy_shares). Coverage sums the weights as they are.
struct LocalAttention {
  static constexpr const char* type = "local";
  int64_t window = 10;
  static void fields(auto& o, auto& f) {
    f("window", o.window, "tokens on either side of the predicted position that local attention sees",
      in_range(1, 10'000));
  }
  static void prepared(auto& view, auto&& f) { GeneralAttention::prepared(view, f); }
  bool operator==(const LocalAttention&) const = default;
  class Layer;
};

class LocalAttention::Layer : public GeneralAttention::Layer {
 public:
  Layer(const LocalAttention& options, const AttentionSizes& sizes);
  bool is_distribution() const override { return false; }

 protected:
  Tensor weights(const Tensor& scores, const Tensor& query, const AttentionView& view) override;

 private:
  double window_;
  Linear position_{nullptr};  // W_p
  Tensor position_v_;
};

}  // namespace seq2seq
