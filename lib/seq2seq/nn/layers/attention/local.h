#pragma once

#include "seq2seq/core/options.h"
#include "seq2seq/nn/layers/attention/general.h"

namespace seq2seq {

/// Local attention with predicted positions, "local-p" (Luong et al. 2015, equations 9 and 10). A query
/// predicts where to look, p = S sigmoid(v_p . tanh(W_p q)), of S source words that stand at 1 ... S. It
/// compares, as `general` does, with the words in [p - window, p + window] alone; their weights are the
/// softmax within this window, times exp(-(s - p)^2 / (2 sigma^2)) for the word at s, sigma = window / 2. As
/// in the paper they are not divided by their sum again, so that a row sums to between exp(-2) and 1: a
/// context is as faint as its words are far from p. Copying reaches no word outside the window, and leaves
/// to the vocabulary what attention leaves (copy_shares); coverage sums the weights as they are.
struct LocalAttention {
  static constexpr const char* type = "local";
  int64_t window = 10;
  static void fields(auto& o, auto& f) {
    f("window", o.window, "words on either side of the predicted place that local attention sees",
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
