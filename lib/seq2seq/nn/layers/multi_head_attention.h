#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include "seq2seq/nn/layers/linear.h"
#include "seq2seq/nn/ops/attend.h"
#include "seq2seq/nn/positions.h"

namespace seq2seq {

/// [B, T, heads * d] -> [B, heads, T, d]
Tensor split_heads(const Tensor& x, int64_t heads);

/// Multi-head self-attention.
class SelfAttentionImpl : public torch::nn::Module {
 public:
  SelfAttentionImpl(int64_t width, int64_t heads, double dropout);

  /// x [N, T, D] -> [N, T, D]. `rotation` rotates queries and keys, null = none. `before` holds keys and
  /// values of the tokens before x, null = there are none; those of x are appended to it.
  Tensor forward(const Tensor& x, const Visible& visible, const Rotation* rotation, HeadMemory* before,
                 Noise* noise);
  /// The empty `before` of the first token, for the rows of `like` [N, S, H].
  HeadMemory nothing(const Tensor& like) const;
  void initialize(Initializer& initializer);

 private:
  int64_t heads_, head_width_;
  double dropout_;
  Linear projection_{nullptr};  // queries, keys and values in one product
  Linear output_{nullptr};
};
TORCH_MODULE(SelfAttention);

/// Multi-head attention of target tokens to the source (cross-attention).
class CrossAttentionImpl : public torch::nn::Module {
 public:
  CrossAttentionImpl(int64_t width, int64_t memory_size, int64_t heads, double dropout);

  /// Keys and values, which depend on the sentence alone: states [B, S, M].
  HeadMemory prepare(const Tensor& states);
  /// x [N, T, D] with N = B, or N = B * K and T = 1 -> [N, T, D]. `weights`, if not null, receives those of
  /// the first head [N, T, S].
  Tensor forward(const Tensor& x, const HeadMemory& memory, const Tensor& mask, Tensor* weights,
                 Noise* noise);
  void initialize(Initializer& initializer);

 private:
  int64_t heads_;
  double dropout_;
  Linear query_{nullptr};
  Linear memory_{nullptr};  // keys and values in one product
  Linear output_{nullptr};
};
TORCH_MODULE(CrossAttention);

}  // namespace seq2seq
