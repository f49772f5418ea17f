#pragma once

// Kernels that a device may offer besides LibTorch's own operations. Not installed; called by nn/ops only.

#include <cstdint>
#include <span>
#include <vector>

#include "seq2seq/nn/adjustment.h"
#include "seq2seq/nn/engine/step_kernels.h"
#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// All contiguous; coverage and its weight are undefined without coverage.
struct AdditiveOperands {
  Tensor keys, query, v, mask;                 ///< [B, S, A], [B, K, A], [A], [B, S] bool
  Tensor coverage = {}, coverage_weight = {};  ///< [B, K, S], [A]
};
struct AdditiveGradients {
  Tensor keys;                                      ///< added to
  Tensor query, v_rows;                             ///< [B, K, A]; [B, A], to be summed over B
  Tensor coverage = {}, coverage_weight_rows = {};  ///< [B, K, S]; [B, A]; undefined without coverage
};

/// queries [B, h, Q, d], keys and values [B, h, S, d], contiguous in the last dimension.
struct HeadOperands {
  Tensor queries, keys, values;
  Tensor mask;     ///< [B, S] bool, contiguous; undefined = no mask
  Tensor factors;  ///< [B, h, Q, S] dropout factors of the weights, contiguous; undefined = none
  bool causal;     ///< query q attends to s <= q; requires Q = S
  double scale;
};
/// Contiguous in [B, T, h, d] order.
struct HeadGradients {
  Tensor queries, keys, values;
};

/// Rows of a label-smoothed cross entropy (ops/cross_entropy.h), with copying where `generated` is defined.
struct CrossEntropyRows {
  Tensor logits;                       ///< [R, V] contiguous; overwritten by the gradient if `gradient`
  Tensor targets;                      ///< [R] int64; V or more: can only be copied
  Tensor generated = {}, copied = {};  ///< [R] or undefined
  double smoothing, least_probability;
  Tensor loss, negative_log_likelihood;                  ///< [R], written
  bool gradient;                                         ///< whether to compute it
  Tensor generated_gradient = {}, copied_gradient = {};  ///< [R], written for mixtures if `gradient`
};

/// Top-k search in the rows of logits (ops/top_k.h).
struct TopKRows {
  Tensor logits;                    ///< [N, V] contiguous, overwritten
  Tensor generated, copied, slots;  ///< [N, 1], [N, S], [B, S] contiguous; undefined = no copying
  double least_probability;
  int64_t k;
  const std::vector<int64_t>& banned;
  int64_t watched;
  Tensor log_probabilities, indices, watched_value;  ///< [N, k], [N, k] int64, [N], written
  /// Of `adjusted_top_k`: A adjustments, those of row r from adjustment_begins[r] to before
  /// adjustment_begins[r + 1], and what is written of them (ops/top_k.h), [A] and [N].
  std::span<const Adjustment> adjustments = {};
  std::span<const int64_t> adjustment_begins = {};
  Tensor adjusted = {}, likeliest = {};
};

/// Implementations of the operations of nn/ops, under their names and with their contracts; null = the plain
/// version is used. They record no graph, allocate scratch memory at most and write into the tensors passed to them.
struct KernelSet {
  const char* name = nullptr;
  /// Whether it supports this machine and the device and type of `x`.
  bool (*serves)(const Tensor& x) = nullptr;

  /// gates [N, 4H]: the sum of both products; overwritten by the activated gates, which backward needs
  void (*lstm_cell)(const Tensor& gates, const Tensor& cell_before, const Tensor& hidden,
                    const Tensor& cell) = nullptr;
  void (*lstm_cell_backward)(const Tensor& activated, const Tensor& cell_before, const Tensor& cell,
                             const Tensor& hidden_gradient, const Tensor& cell_gradient,
                             const Tensor& gate_gradient, const Tensor& cell_before_gradient) = nullptr;
  /// gates [N, 3H]: written, the activated gates for backward
  void (*gru_cell)(const Tensor& input_gates, const Tensor& recurrent_gates, const Tensor& hidden_before,
                   const Tensor& gates, const Tensor& hidden) = nullptr;
  void (*gru_cell_backward)(const Tensor& gates, const Tensor& recurrent_gates, const Tensor& hidden_before,
                            const Tensor& hidden_gradient, const Tensor& input_gradient,
                            const Tensor& recurrent_gradient, const Tensor& hidden_before_gradient) = nullptr;
  /// scores [B, K, S], 0 where the mask is false
  void (*additive_scores)(const AdditiveOperands& operands, const Tensor& scores) = nullptr;
  void (*additive_scores_backward)(const AdditiveOperands& operands, const Tensor& score_gradient,
                                   const AdditiveGradients& gradients) = nullptr;
  /// weights [B, h, Q, S] before dropout, or undefined = not wanted; context [B, Q, h, d]
  void (*attend)(const HeadOperands& operands, const Tensor& weights, const Tensor& context) = nullptr;
  void (*attend_backward)(const HeadOperands& operands, const Tensor& weights, const Tensor& context_gradient,
                          const HeadGradients& gradients) = nullptr;
  /// rows [B, K, H], states [B, S, H] -> products [B, K, S]; all contiguous here and below
  void (*states_dot)(const Tensor& rows, const Tensor& states, const Tensor& products) = nullptr;
  /// weights [B, K, S], states [B, S, H] -> products [B, K, H]
  void (*weighted_states)(const Tensor& weights, const Tensor& states, const Tensor& products) = nullptr;
  /// x [R, I] float32 times a weight [O, I] (WeightStore), plus bias [O] unless undefined -> y [R, O]. Each element depends
  /// on its row and column alone, bit for bit.
  void (*packed_product)(const Tensor& x, const WeightPanels& weight, const Tensor& bias,
                         const Tensor& y) = nullptr;
  /// The same and more for the steps of a search, of float32 alone
  const StepKernels* steps = nullptr;
  void (*cross_entropy)(const CrossEntropyRows& rows) = nullptr;
  void (*top_k)(const TopKRows& rows) = nullptr;
  void (*adjusted_top_k)(const TopKRows& rows) = nullptr;
  /// y = x times the dropout mask of `seed`; undefined x: the mask itself. Both contiguous.
  void (*dropout)(uint64_t seed, double p, const Tensor& x, const Tensor& y) = nullptr;
  /// Uniform random numbers of `seed` in [0, 1), float32.
  void (*uniform)(uint64_t seed, const Tensor& numbers) = nullptr;
};

}  // namespace seq2seq
