#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <span>

#include "seq2seq/nn/layers/feed_forward.h"
#include "seq2seq/nn/layers/layer_norm.h"
#include "seq2seq/nn/layers/multi_head_attention.h"

namespace seq2seq {

/// Position of layer normalization: on the input of each sublayer and the output of the last layer (pre;
/// Xiong et al. 2020), or on the sum of each sublayer and its input (post; Vaswani et al. 2017).
enum class NormPlace { pre, post };
std::span<const char* const> option_names(NormPlace);

/// Settings shared by the layers of one Transformer.
struct TransformerShape {
  int64_t width, heads, inner_size;
  NormPlace norm;
  Activation activation;
  double dropout;             ///< on the output of each sublayer
  double attention_dropout;   ///< on attention weights
  double activation_dropout;  ///< after the activation of the feed-forward sublayer
};

/// Self-attention and feed-forward sublayers, each added to its input.
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

/// Sublayers of self-attention to earlier tokens, cross-attention to the source and feed-forward,
/// each added to its input.
class TransformerDecoderLayerImpl : public torch::nn::Module {
 public:
  TransformerDecoderLayerImpl(const TransformerShape& shape, int64_t memory_size);

  /// What a decoder layer attends to.
  struct View {
    HeadMemory source;
    Tensor source_mask;        ///< [B, S]
    const Rotation* rotation;  ///< null = none
    /// Keys and values of the tokens before x, to which those of x are appended; null = causal attention.
    HeadMemory* before;
    Tensor* source_weights;  ///< receives those of the first head [N, T, S]; null = not requested
  };
  /// x [N, T, D]: all tokens of a sentence (N = B), or the next token of each hypothesis (T = 1).
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
