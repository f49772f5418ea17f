#pragma once

#include "seq2seq/nn/layers/attention/attention.h"
#include "seq2seq/nn/layers/linear.h"

namespace seq2seq {

/// q . W m (Luong et al. 2015)
struct GeneralAttention {
  static constexpr const char* type = "general";
  static void fields(auto&, auto&) {}
  static void prepared(auto& view, auto&& f) { f(view.keys); }
  bool operator==(const GeneralAttention&) const = default;
  class Layer;
};

class GeneralAttention::Layer : public Attention {
 public:
  Layer(const GeneralAttention& options, const AttentionSizes& sizes);

 protected:
  void prepare_view(AttentionView& view) override { view.keys = key_->forward(view.states); }
  Tensor scores(const Tensor& query, const AttentionView& view, const CoverageState& past) override;

 private:
  Linear key_{nullptr};
};

}  // namespace seq2seq
