#pragma once

#include <torch/nn/module.h>

#include <memory>

#include "seq2seq/nn/layers/coverage/coverage.h"

namespace seq2seq {

class Initializer;

/// The widths of query [N, query] and states [B, S, memory], and that in which some kinds compare them.
struct AttentionSizes {
  int64_t query, memory, hidden;
};

/// What is looked at, a row a sentence. The last three are prepared once a sentence, where the kind has them.
struct AttentionView {
  Tensor states;               ///< [B, S, H]
  Tensor mask;                 ///< [B, S]
  Tensor keys = {};            ///< [B, S, A] what queries are compared with; undefined: the states
  Tensor values = {};          ///< [B, S, C] what the context is made of; undefined: the states
  Tensor coverage_gates = {};  ///< [B, S, G] (Coverage::gates)
};

struct AttentionResult {
  Tensor context;          ///< [N, C]
  Tensor weights;          ///< [N, S] of the first head, 0 where the mask is false
  CoverageState coverage;  ///< with this look at the source
};

/// Compares a query with the states of its sentence, and makes a context of what it finds. Each kind has a
/// pair of files: its options, which name the class (`Layer`), list what is prepared (`prepared`, as in
/// coverage.h) and may have rules (`check`), and the class. kinds.h lists them.
class Attention : public torch::nn::Module {
 public:
  /// What depends on the sentence alone: states [B, S, H], mask [B, S].
  AttentionView prepare(const Tensor& states, const Tensor& mask);
  /// Before the first step, a row a sentence.
  CoverageState start(const Tensor& states) const { return coverage_->start(states); }
  /// query [N, Q], N = B * K rows, a sentence's rows adjacent; `past` from `start` or the step before; `bias`
  /// [N, S] is added to the scores.
  virtual AttentionResult forward(const Tensor& query, const AttentionView& view,
                                  const CoverageState& past = {}, const Tensor& bias = {});
  void initialize(Initializer& initializer);
  /// What it remembers, with its parameters in this module: once, before anything else.
  void set_coverage(std::unique_ptr<Coverage> coverage) { coverage_ = std::move(coverage); }

  int64_t key_size() const { return widths_.key; }          ///< A
  int64_t context_size() const { return widths_.context; }  ///< C
  /// Whether the weights of a row sum to 1, not to less.
  virtual bool is_distribution() const { return true; }

 protected:
  struct Widths {
    int64_t key;        ///< A
    int64_t context;    ///< C
    int64_t heads = 1;  ///< each with scores and weights of its own
  };
  explicit Attention(const Widths& widths) : widths_(widths) {}

  /// Defines what the kind prepares: view.keys, view.values.
  virtual void prepare_view(AttentionView&) {}
  /// [B, K * heads, S], coverage included. Values at masked positions do not matter.
  virtual Tensor scores(const Tensor& query, const AttentionView& view, const CoverageState& past) = 0;
  /// Of scores that are -1e9 where the mask is false: their softmax, [B, K * heads, S].
  virtual Tensor weights(const Tensor& scores, const Tensor& query, const AttentionView& view);
  /// weights [B, K * heads, S] -> [N, C]; of one head: the weighted sum of the states.
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
