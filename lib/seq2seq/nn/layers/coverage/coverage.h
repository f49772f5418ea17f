#pragma once

#include <torch/nn/module.h>

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// What attention remembers of N hypotheses; undefined what its kind of coverage has not.
struct CoverageState {
  Tensor sum;    ///< [N, S] past attention
  Tensor cells;  ///< [N, S, D] GRU states
};

/// What attention remembers of where it looked, and adds to each key k_i [A] as U c_i before comparing. The
/// tensors of a state, and what is prepared of a sentence, are listed by the options of each kind:
///   state(coverage, f)   calls f for each tensor of a CoverageState
///   prepared(view, f)    calls f for each tensor of an AttentionView that `prepare` makes
class Coverage {
 public:
  virtual ~Coverage() = default;
  /// Before the first step, a row a sentence: states [B, S, H].
  virtual CoverageState start(const Tensor& states) const = 0;
  /// What depends on the sentence alone: states [B, S, H] -> gates [B, S, G], undefined where there are none.
  virtual Tensor gates(const Tensor& states) = 0;
  /// After a query [N, Q] has looked with weights [N, S]; gates of B sentences, N = B * K.
  virtual CoverageState next(const CoverageState& past, const Tensor& weights, const Tensor& query,
                             const Tensor& gates) = 0;
  /// c_i of every position, [N, S, D]; undefined: nothing is added to the keys.
  virtual Tensor cells(const CoverageState& past) const = 0;

  Tensor weight;  ///< U [A, D]; undefined as `cells`
};

/// The widths of query [N, query], states [B, S, memory] and keys [B, S, key].
struct CoverageSizes {
  int64_t query, memory, key;
};

/// sum over steps and positions of min(attention, attention of all steps before) (See et al. 2017, eq. 12):
/// attention [B, T, S], steps [B, T] bool, true = a step that counts -> scalar.
Tensor coverage_loss(const Tensor& attention, const Tensor& steps);

}  // namespace seq2seq
