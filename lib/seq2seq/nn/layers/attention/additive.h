#pragma once

#include "seq2seq/nn/layers/attention/attention.h"
#include "seq2seq/nn/layers/linear.h"

namespace seq2seq {

/// v . tanh(W_q q + W_m m) (Bahdanau et al. 2015)
struct AdditiveAttention {
  static constexpr const char* type = "additive";
  static void fields(auto&, auto&) {}
  static void prepared(auto& view, auto&& f) { f(view.keys); }
  bool operator==(const AdditiveAttention&) const = default;
  class Layer;
};

class AdditiveAttention::Layer : public Attention {
 public:
  Layer(const AdditiveAttention& options, const AttentionSizes& sizes);

 protected:
  void prepare_view(AttentionView& view) override { view.keys = key_->forward(view.states); }
  Tensor scores(const Tensor& query, const AttentionView& view, const CoverageState& past) override;

 private:
  Linear query_{nullptr}, key_{nullptr};
  Tensor v_;
};

}  // namespace seq2seq
