#include "seq2seq/nn/layers/transformer.h"

#include <ATen/ATen.h>

namespace seq2seq {
namespace {

constexpr const char* norm_names[] = {"pre", "post"};

FeedForward feed_forward_of(const TransformerShape& shape) {
  return FeedForward(shape.width, shape.inner_size, shape.activation, shape.activation_dropout);
}

// A sublayer with dropout, residual connection and normalization.
template <class Sublayer>
Tensor residual(const Tensor& x, LayerNorm& norm, const TransformerShape& shape, Noise* noise,
                const Sublayer& sublayer) {
  if (shape.norm == NormPlace::pre) return x + dropout(sublayer(norm->forward(x)), shape.dropout, noise);
  return norm->forward(x + dropout(sublayer(x), shape.dropout, noise));
}

}  // namespace

std::span<const char* const> option_names(NormPlace) {
  return norm_names;
}

TransformerEncoderLayerImpl::TransformerEncoderLayerImpl(const TransformerShape& shape)
    : shape_(shape),
      self_attention_(register_module("self_attention",
                                      SelfAttention(shape.width, shape.heads, shape.attention_dropout))),
      feed_forward_(register_module("feed_forward", feed_forward_of(shape))),
      self_attention_norm_(register_module("self_attention_norm", LayerNorm(shape.width))),
      feed_forward_norm_(register_module("feed_forward_norm", LayerNorm(shape.width))) {}

Tensor TransformerEncoderLayerImpl::forward(const Tensor& x, const Visible& visible, const Rotation* rotation,
                                            Noise* noise) {
  const Tensor attended = residual(x, self_attention_norm_, shape_, noise, [&](const Tensor& y) {
    return self_attention_->forward(y, visible, rotation, nullptr, noise);
  });
  return residual(attended, feed_forward_norm_, shape_, noise,
                  [&](const Tensor& y) { return feed_forward_->forward(y, noise); });
}

void TransformerEncoderLayerImpl::initialize(Initializer& initializer) {
  self_attention_->initialize(initializer);
  feed_forward_->initialize(initializer);
  self_attention_norm_->initialize();
  feed_forward_norm_->initialize();
}

TransformerDecoderLayerImpl::TransformerDecoderLayerImpl(const TransformerShape& shape, int64_t memory_size)
    : shape_(shape),
      self_attention_(register_module("self_attention",
                                      SelfAttention(shape.width, shape.heads, shape.attention_dropout))),
      cross_attention_(register_module(
          "cross_attention", CrossAttention(shape.width, memory_size, shape.heads, shape.attention_dropout))),
      feed_forward_(register_module("feed_forward", feed_forward_of(shape))),
      self_attention_norm_(register_module("self_attention_norm", LayerNorm(shape.width))),
      cross_attention_norm_(register_module("cross_attention_norm", LayerNorm(shape.width))),
      feed_forward_norm_(register_module("feed_forward_norm", LayerNorm(shape.width))) {}

Tensor TransformerDecoderLayerImpl::forward(const Tensor& x, const View& view, Noise* noise) {
  const Visible words{.causal = view.before == nullptr};
  Tensor y = residual(x, self_attention_norm_, shape_, noise, [&](const Tensor& z) {
    return self_attention_->forward(z, words, view.rotation, view.before, noise);
  });
  y = residual(y, cross_attention_norm_, shape_, noise, [&](const Tensor& z) {
    return cross_attention_->forward(z, view.source, view.source_mask, view.source_weights, noise);
  });
  return residual(y, feed_forward_norm_, shape_, noise,
                  [&](const Tensor& z) { return feed_forward_->forward(z, noise); });
}

void TransformerDecoderLayerImpl::initialize(Initializer& initializer) {
  self_attention_->initialize(initializer);
  cross_attention_->initialize(initializer);
  feed_forward_->initialize(initializer);
  self_attention_norm_->initialize();
  cross_attention_norm_->initialize();
  feed_forward_norm_->initialize();
}

}  // namespace seq2seq
