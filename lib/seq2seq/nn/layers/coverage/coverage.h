#pragma once

#include <torch/nn/module.h>

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// Coverage of N hypotheses; tensors that the kind of coverage does not use are undefined.
struct CoverageState {
  Tensor sum;    ///< [N, S] sum of past attention
  Tensor cells;  ///< [N, S, D] GRU states
};

/// Past attention to each source position i, as a vector c_i that is added to its key k_i [A] as U c_i before
/// scoring. The options of each kind list the tensors of its state and those prepared per sentence:
///   state(coverage, f)   calls f for each tensor of a CoverageState
///   prepared(view, f)    calls f for each tensor of an AttentionView that `prepare` computes
class Coverage {
 public:
  virtual ~Coverage() = default;
  /// Coverage before the first step, one row per sentence: states [B, S, H].
  virtual CoverageState start(const Tensor& states) const = 0;
  /// GRU gates that depend on the sentence alone: states [B, S, H] -> [B, S, G], undefined for other kinds.
  virtual Tensor gates(const Tensor& states) = 0;
  /// Coverage after a query [N, Q] attended with weights [N, S]; gates of the B sentences, N = B * K.
  virtual CoverageState next(const CoverageState& past, const Tensor& weights, const Tensor& query,
                             const Tensor& gates) = 0;
  /// c_i of every position, [N, S, D]; undefined: nothing is added to the keys.
  virtual Tensor cells(const CoverageState& past) const = 0;

  Tensor weight;  ///< U [A, D]; undefined if `cells` is
};

/// Widths of query [N, query], states [B, S, memory] and keys [B, S, key].
struct CoverageSizes {
  int64_t query, memory, key;
};

/// Coverage loss (See et al. 2017, eq. 12): sum over steps and positions of min(attention, sum of earlier
/// attention). attention [B, T, S], steps [B, T] bool, true = a step that counts -> scalar.
Tensor coverage_loss(const Tensor& attention, const Tensor& steps);

}  // namespace seq2seq
