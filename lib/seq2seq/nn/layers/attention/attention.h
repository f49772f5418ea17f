#pragma once

#include <torch/nn/module.h>

#include <memory>

#include "seq2seq/nn/layers/coverage/coverage.h"

namespace seq2seq {

class Initializer;

/// Widths of query [N, query] and states [B, S, memory]; some kinds project both to `hidden` to compare them.
struct AttentionSizes {
  int64_t query, memory, hidden;
};

/// The sentences attended to, one row per sentence. Keys, values and gates are prepared once per sentence by
/// the kinds that use them.
struct AttentionView {
  Tensor states;               ///< [B, S, H]
  Tensor mask;                 ///< [B, S]
  Tensor keys = {};            ///< [B, S, A] scored against queries; undefined = the states
  Tensor values = {};          ///< [B, S, C] averaged into the context; undefined = the states
  Tensor coverage_gates = {};  ///< [B, S, G] (Coverage::gates)
  Tensor penalty = {};         ///< [B, 1, S] of `mask` (Attention::penalty_of), by whoever has many steps
};

struct AttentionResult {
  Tensor context;          ///< [N, C]
  Tensor weights;          ///< [N, S] of the first head, 0 where the mask is false
  CoverageState coverage;  ///< after this step
};

/// Scores the states of a sentence against a query and computes a context from them. Each kind is a pair of
/// files: its options, which name the class (`Layer`), list the prepared tensors (`prepared`, as in
/// coverage.h) and may have rules (`check`), and the class. kinds.h lists all kinds.
class Attention : public torch::nn::Module {
 public:
  /// Everything that depends on the sentence alone: states [B, S, H], mask [B, S].
  AttentionView prepare(const Tensor& states, const Tensor& mask);
  /// What is added to the scores: 0, or -1e9 where the mask is false, so that the weight becomes 0.
  static Tensor penalty_of(const Tensor& mask);
  /// Coverage before the first step, one row per sentence.
  CoverageState start(const Tensor& states) const { return coverage_->start(states); }
  /// query [N, Q], N = B * K rows, the rows of a sentence adjacent; `past` from `start` or the previous step;
  /// `bias` [N, S] is added to the scores.
  virtual AttentionResult forward(const Tensor& query, const AttentionView& view,
                                  const CoverageState& past = {}, const Tensor& bias = {});
  void initialize(Initializer& initializer);
  /// Its coverage, which registers its parameters in this module. To be called once, before anything else.
  void set_coverage(std::unique_ptr<Coverage> coverage) { coverage_ = std::move(coverage); }

  int64_t key_size() const { return widths_.key; }          ///< A
  int64_t context_size() const { return widths_.context; }  ///< C
  /// Whether the weights of each row sum to 1 rather than less.
  virtual bool is_distribution() const { return true; }

 protected:
  struct Widths {
    int64_t key;        ///< A
    int64_t context;    ///< C
    int64_t heads = 1;  ///< each with its own scores and weights
  };
  explicit Attention(const Widths& widths) : widths_(widths) {}

  /// Defines the tensors that the kind prepares: view.keys, view.values.
  virtual void prepare_view(AttentionView&) {}
  /// Scores [B, K * heads, S], coverage included. Values at masked positions do not matter.
  virtual Tensor scores(const Tensor& query, const AttentionView& view, const CoverageState& past) = 0;
  /// Weights [B, K * heads, S]: the softmax of scores that are about -1e9 where the mask is false.
  virtual Tensor weights(const Tensor& scores, const Tensor& query, const AttentionView& view);
  /// weights [B, K * heads, S] -> context [N, C]. By default, for one head: the weighted sum of the states.
  virtual Tensor context(const Tensor& weights, const AttentionView& view);

  /// [N, ...] -> [B, K, ...]
  static Tensor by_sentence(const Tensor& rows, const AttentionView& view);
  /// [B, K * heads, ...] -> [N, heads, ...]
  Tensor by_row(const Tensor& by_head) const;
  /// Products of queries [N, heads, A] with keys and coverage: [B, K * heads, S].
  Tensor products(const Tensor& queries, const AttentionView& view, const CoverageState& past);
  const Coverage& coverage() const { return *coverage_; }

 private:
  Widths widths_;
  std::unique_ptr<Coverage> coverage_;
};

}  // namespace seq2seq
