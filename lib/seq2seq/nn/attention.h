#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <span>

#include "seq2seq/nn/linear.h"

namespace seq2seq {

/// How a decoder state q is compared with an encoder state m:
///   none      not at all: the context is zero (fixed-context models)
///   dot       q . m                      (Luong et al. 2015)
///   general   q . W m                    (Luong et al. 2015)
///   additive  v . tanh(W_q q + W_m m)    (Bahdanau et al. 2015)
enum class AttentionKind { none, dot, general, additive };
std::span<const char* const> option_names(AttentionKind);

struct AttentionResult {
  Tensor context;  ///< [N, H]
  Tensor weights;  ///< [N, S], each row sums to 1, 0 where the mask is false (all 0 for `none`)
};

/// sum_h v_h tanh(keys + query): keys [B, S, A], query [B, K, A], v [A], mask [B, S] -> [B, K, S]. Fused on a
/// CPU; values at masked positions are unspecified but finite.
Tensor additive_scores(const Tensor& keys, const Tensor& query, const Tensor& v, const Tensor& mask);

class AttentionImpl : public torch::nn::Module {
 public:
  /// Throws TORCH_CHECK when `dot` is asked for with unequal sizes.
  AttentionImpl(AttentionKind kind, int64_t query_size, int64_t memory_size, int64_t hidden_size);

  /// What depends on the sentence alone: states [B, S, H] -> keys [B, S, A]. Computed once a sentence.
  Tensor keys(const Tensor& states);

  /// query [N, Q]; states [B, S, H]; keys from above; mask [B, S]. N = B * K rows, a sentence's rows
  /// adjacent.
  AttentionResult forward(const Tensor& query, const Tensor& states, const Tensor& keys, const Tensor& mask);

  AttentionKind kind() const { return kind_; }

 private:
  AttentionKind kind_;
  Linear query_{nullptr}, key_{nullptr};
  Tensor v_;
};
TORCH_MODULE(Attention);

}  // namespace seq2seq
