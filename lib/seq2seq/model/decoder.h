#pragma once

#include <torch/nn/module.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "seq2seq/model/options.h"
#include "seq2seq/model/rows.h"
#include "seq2seq/nn/layers/layer_norm.h"
#include "seq2seq/nn/layers/recurrent.h"
#include "seq2seq/nn/ops/dropout.h"

namespace seq2seq {

class DecoderSteps;
class WeightStore;
struct StepKernels;

/// One decoding step of N = B * K hypotheses.
struct Step {
  Tensor features;   ///< [N, F] input of the output layer
  Tensor attention;  ///< [N, S] over the source; zeros without attention
  /// [N, 1] logit of p_gen (See et al. 2017, eq. 8); [N, 2] for attention that may sum to less than 1, with
  /// the missing weight in the second column; undefined when the model does not copy.
  Tensor copy_gate;
  State next;
};

/// All steps of B target sentences.
struct StepSequence {
  Tensor features;   ///< [B, T, F]
  Tensor attention;  ///< [B, T, S]
  Tensor copy_gate;  ///< [B, T, 1 or 2] or undefined
  /// `count` steps from `begin` on as one step of B * count hypotheses; all of them as one of B * T.
  Step as_hypotheses(int64_t begin, int64_t count) const;
  Step as_hypotheses() const { return as_hypotheses(0, features.size(1)); }
};

/// Predicts the target: `forward` computes all steps for training, `advance` one step for search. Tests check
/// for every architecture that they agree.
class Decoder : public torch::nn::Module {
 public:
  /// Adds to the memory what depends on the source alone, such as projected keys.
  virtual Memory prepare(const Memory& memory) = 0;
  /// The state before the first token, one row per sentence.
  virtual State start(const Memory& memory) = 0;
  /// embedded [N, E]: the previous token of each hypothesis.
  virtual Step advance(const Memory& memory, const Tensor& embedded, const State& state) = 0;
  /// embedded [B, T, E]: <s>, then the target tokens without </s>. `noise` null = no dropout.
  virtual StepSequence forward(const Memory& memory, const Tensor& embedded, Noise* noise) = 0;
  /// The embedded input token [B, E] of step t, given the features [B, F] of step t - 1 (undefined at t = 0).
  using WordAt = std::function<Tensor(int64_t t, const Tensor& features)>;
  /// As `forward`, with the same dropout rates, but each input token is requested from `word_at` in turn.
  virtual StepSequence forward_by_word(const Memory& memory, int64_t steps, const WordAt& word_at,
                                       Noise* noise) = 0;
  virtual void initialize(Initializer& initializer) = 0;
  virtual int64_t feature_size() const = 0;
  virtual bool has_attention() const = 0;
  /// The steps of searches in float32 on a CPU, with packed weights; null = only `advance` computes them. The module, the
  /// store and the kernels must outlive it.
  virtual std::unique_ptr<DecoderSteps> steps(WeightStore& weights, const StepKernels& kernels);
  /// Why they are null, in a few words; empty = they are not.
  virtual std::string why_no_steps() const;
};

/// Stacked recurrent cells with attention over the encoder's states:
///   h_t = RNN(x_t [; feed_{t-1}], h_{t-1}),  c_t = attention(h_t),  feature_t = tanh(W [c_t; h_t])
/// (Luong et al. 2015 with input feeding; `additive` scores as Bahdanau et al. 2015). A context gate
/// weighs the two parts of the feature (Tu et al. 2017), computed from c_t and h_t. The encoder's summary
/// initializes the state (Sutskever et al. 2014). Without attention the features are h_t, and with input
/// feeding the summary is fed at every step (Cho et al. 2014). With a hierarchical encoder, a second
/// attention weighs the sentences; its log-weights are added to the scores of their tokens, which
/// re-weights and renormalizes as in Nallapati et al. (2016, section 2.3). p_gen is computed from the
/// feature and the embedded input.
class RnnDecoderImpl : public Decoder {
 public:
  /// `sentence_size`: width of the sentence states of a hierarchical encoder, else 0.
  RnnDecoderImpl(const RnnDecoderOptions& options, bool copying, int64_t embedding_size, int64_t memory_size,
                 int64_t summary_size, int64_t sentence_size);
  Memory prepare(const Memory& memory) override;
  State start(const Memory& memory) override;
  Step advance(const Memory& memory, const Tensor& embedded, const State& state) override;
  StepSequence forward(const Memory& memory, const Tensor& embedded, Noise* noise) override;
  StepSequence forward_by_word(const Memory& memory, int64_t steps, const WordAt& word_at,
                               Noise* noise) override;
  void initialize(Initializer& initializer) override;
  int64_t feature_size() const override { return options_.size; }
  bool has_attention() const override { return options_.has_attention(); }
  /// None for multi-head and local attention, for coverage by GRU, and with a hierarchical encoder.
  std::unique_ptr<DecoderSteps> steps(WeightStore& weights, const StepKernels& kernels) override;
  std::string why_no_steps() const override;

 private:
  class Steps;
  struct View;    // the named tensors of a State
  struct Looked;  // the tensors of a Memory that attention reads
  struct Masks;   // dropout masks shared by all steps of a sentence
  Step recur(const Looked& looked, const Tensor& input_gates, const State& state, const Masks& masks,
             Noise* noise);
  Looked looked_at(const Memory& memory) const;
  AttentionResult attend(const Looked& looked, const Tensor& query, const CoverageState& past);
  Tensor combined(const Tensor& context, const Tensor& state);
  Tensor first_gates(const Memory& memory, const Tensor& embedded);
  Tensor copy_gate(const Tensor& features, const Tensor& embedded, const Tensor& attention);
  StepSequence unroll(const Memory& memory, int64_t steps, const WordAt& gates_at, Noise* noise);

  RnnDecoderOptions options_;
  std::vector<RecurrentLayer> layers_;
  std::vector<LayerNorm> norms_;  // with layer normalization: after each layer
  Linear bridge_{nullptr}, feed_{nullptr}, combine_{nullptr};
  Linear context_part_{nullptr}, state_part_{nullptr}, context_gate_{nullptr};  // instead of combine_
  std::shared_ptr<Attention> attention_, sentence_attention_;
  Linear copy_gate_{nullptr};
};

}  // namespace seq2seq
