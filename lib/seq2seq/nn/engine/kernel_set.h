#pragma once

// What a device may offer beside LibTorch's own operations. Not installed; nn/ops alone uses it.

#include <cstdint>
#include <vector>

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// All contiguous; coverage and its weight undefined = no coverage.
struct AdditiveOperands {
  Tensor keys, query, v, mask;                 ///< [B, S, A], [B, K, A], [A], [B, S] bool
  Tensor coverage = {}, coverage_weight = {};  ///< [B, K, S], [A]
};
struct AdditiveGradients {
  Tensor keys;                                      ///< added to
  Tensor query, v_rows;                             ///< [B, K, A]; [B, A], to be summed over B
  Tensor coverage = {}, coverage_weight_rows = {};  ///< [B, K, S]; [B, A]; undefined without coverage
};

/// queries [B, h, Q, d], keys and values [B, h, S, d], each position's numbers standing together.
struct HeadOperands {
  Tensor queries, keys, values;
  Tensor mask;     ///< [B, S] bool, contiguous; undefined = every position may be seen
  Tensor factors;  ///< of the weights [B, h, Q, S], contiguous (dropout); undefined = none
  bool causal;     ///< query q sees s <= q; then Q = S
  double scale;
};
/// All laid out as [B, T, h, d].
struct HeadGradients {
  Tensor queries, keys, values;
};

/// Rows of a label-smoothed cross entropy, mixed with copying where `generated` is defined
/// (ops/cross_entropy.h).
struct CrossEntropyRows {
  Tensor logits;   ///< [R, V] contiguous; overwritten by the gradient where that is wanted
  Tensor targets;  ///< [R] int64; V or more: only copying writes it
  Tensor generated = {}, copied = {};  ///< [R] or undefined
  double smoothing, least_probability;
  Tensor loss, negative_log_likelihood;                  ///< [R], written
  bool gradient;                                         ///< whether it is wanted
  Tensor generated_gradient = {}, copied_gradient = {};  ///< [R], written with a gradient of a mixture
};

/// The best columns of rows (ops/top_k.h).
struct TopKRows {
  Tensor logits;                    ///< [N, V] contiguous, overwritten
  Tensor generated, copied, slots;  ///< [N, 1], [N, S], [B, S] contiguous; undefined = no copying
  double least_probability;
  int64_t k;
  const std::vector<int64_t>& banned;
  int64_t watched;
  Tensor log_probabilities, indices, watched_value;  ///< [N, k], [N, k] int64, [N], written
};

/// Implementations of operations whose contracts stand in nn/ops, by whose names they go; null = the plain
/// twin does it. They know no graph, make no tensors and write to the tensors that they are given.
struct KernelSet {
  const char* name = nullptr;
  /// Whether this machine, and a tensor's device and type, suit it.
  bool (*serves)(const Tensor& x) = nullptr;

  /// gates [N, 4H]: the sum of both products; overwritten by the activated gates, which backward needs.
  void (*lstm_cell)(const Tensor& gates, const Tensor& cell_before, const Tensor& hidden,
                    const Tensor& cell) = nullptr;
  void (*lstm_cell_backward)(const Tensor& activated, const Tensor& cell_before, const Tensor& cell,
                             const Tensor& hidden_gradient, const Tensor& cell_gradient,
                             const Tensor& gate_gradient, const Tensor& cell_before_gradient) = nullptr;
  /// gates [N, 3H]: the activated ones, for backward
  void (*gru_cell)(const Tensor& input_gates, const Tensor& recurrent_gates, const Tensor& hidden_before,
                   const Tensor& gates, const Tensor& hidden) = nullptr;
  void (*gru_cell_backward)(const Tensor& gates, const Tensor& recurrent_gates, const Tensor& hidden_before,
                            const Tensor& hidden_gradient, const Tensor& input_gradient,
                            const Tensor& recurrent_gradient, const Tensor& hidden_before_gradient) = nullptr;
  /// scores [B, K, S], 0 where the mask is false
  void (*additive_scores)(const AdditiveOperands& operands, const Tensor& scores) = nullptr;
  void (*additive_scores_backward)(const AdditiveOperands& operands, const Tensor& score_gradient,
                                   const AdditiveGradients& gradients) = nullptr;
  /// weights [B, h, Q, S] before dropout, context [B, Q, h, d]
  void (*attend)(const HeadOperands& operands, const Tensor& weights, const Tensor& context) = nullptr;
  void (*attend_backward)(const HeadOperands& operands, const Tensor& weights, const Tensor& context_gradient,
                          const HeadGradients& gradients) = nullptr;
  void (*cross_entropy)(const CrossEntropyRows& rows) = nullptr;
  void (*top_k)(const TopKRows& rows) = nullptr;
  /// y = x times the mask of `seed`; undefined x: the mask itself. Both contiguous.
  void (*dropout)(uint64_t seed, double p, const Tensor& x, const Tensor& y) = nullptr;
  /// Uniform numbers of `seed`, float32.
  void (*uniform)(uint64_t seed, const Tensor& numbers) = nullptr;
};

}  // namespace seq2seq
