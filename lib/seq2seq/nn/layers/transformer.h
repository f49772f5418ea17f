#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <span>

#include "seq2seq/nn/layers/feed_forward.h"
#include "seq2seq/nn/layers/layer_norm.h"
#include "seq2seq/nn/layers/multi_head_attention.h"

namespace seq2seq {

/// Where a Transformer normalizes: the input of each sublayer, and the last layer's output (pre; Xiong et al.
/// 2020), or the sum of each sublayer and its input (post; Vaswani et al. 2017).
enum class NormPlace { pre, post };
std::span<const char* const> option_names(NormPlace);

/// What the layers of one Transformer have in common.
struct TransformerShape {
  int64_t width, heads, inner_size;
  NormPlace norm;
  Activation activation;
  double dropout;             ///< of what each sublayer adds
  double attention_dropout;   ///< of attention weights
  double activation_dropout;  ///< between the two products of the feed-forward sublayer
};

/// Self-attention and feed-forward, each added to its input.
class TransformerEncoderLayerImpl : public torch::nn::Module {
 public:
  explicit TransformerEncoderLayerImpl(const TransformerShape& shape);
  /// x [B, S, D]
  Tensor forward(const Tensor& x, const Visible& visible, const Rotation* rotation, Noise* noise);
  void initialize(Initializer& initializer);

 private:
  TransformerShape shape_;
  SelfAttention self_attention_{nullptr};
  FeedForward feed_forward_{nullptr};
  LayerNorm self_attention_norm_{nullptr}, feed_forward_norm_{nullptr};
};
TORCH_MODULE(TransformerEncoderLayer);

/// Self-attention to the words before, attention to the source, and feed-forward, each added to its input.
class TransformerDecoderLayerImpl : public torch::nn::Module {
 public:
  TransformerDecoderLayerImpl(const TransformerShape& shape, int64_t memory_size);

  /// What a decoder layer looks at.
  struct View {
    HeadMemory source;
    Tensor source_mask;        ///< [B, S]
    const Rotation* rotation;  ///< null = none
    HeadMemory* before;  ///< keys and values of the words before x, to which x's are appended; null = causal
    Tensor* source_weights;  ///< gets those of the first head; null = not wanted
  };
  /// x [N, T, D]: all words of a sentence (N = B), or the next word of each hypothesis (T = 1).
  Tensor forward(const Tensor& x, const View& view, Noise* noise);

  HeadMemory prepare(const Tensor& states) { return cross_attention_->prepare(states); }
  HeadMemory nothing(const Tensor& like) const { return self_attention_->nothing(like); }
  void initialize(Initializer& initializer);

 private:
  TransformerShape shape_;
  SelfAttention self_attention_{nullptr};
  CrossAttention cross_attention_{nullptr};
  FeedForward feed_forward_{nullptr};
  LayerNorm self_attention_norm_{nullptr}, cross_attention_norm_{nullptr}, feed_forward_norm_{nullptr};
};
TORCH_MODULE(TransformerDecoderLayer);

}  // namespace seq2seq
