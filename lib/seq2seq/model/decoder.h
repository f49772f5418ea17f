#pragma once

#include <torch/nn/module.h>

#include <functional>
#include <memory>
#include <vector>

#include "seq2seq/model/options.h"
#include "seq2seq/model/rows.h"
#include "seq2seq/nn/layers/layer_norm.h"
#include "seq2seq/nn/layers/recurrent.h"
#include "seq2seq/nn/ops/dropout.h"

namespace seq2seq {

/// One decoding step of N = B * K hypotheses.
struct Step {
  Tensor features;   ///< [N, F] what the output layer turns into words
  Tensor attention;  ///< [N, S] over the source; zeros without attention
  /// [N, 1] the logit of p_gen (See et al. 2017, eq. 8), and of attention that sums to less than 1 in a
  /// second column what is left; undefined when the model does not copy
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

/// Writes the target. One recurrence with two entrances: `forward` for training, `advance` for search; the
/// law that they agree is tested for every architecture.
class Decoder : public torch::nn::Module {
 public:
  /// Adds to the memory what depends on the sentence alone.
  virtual Memory prepare(const Memory& memory) = 0;
  /// The state before the first word, a row a sentence.
  virtual State start(const Memory& memory) = 0;
  /// embedded [N, E]: the previous word of each hypothesis.
  virtual Step advance(const Memory& memory, const Tensor& embedded, const State& state) = 0;
  /// embedded [B, T, E]: <s> and the words before the last. `noise` null = no dropout.
  virtual StepSequence forward(const Memory& memory, const Tensor& embedded, Noise* noise) = 0;
  /// The embedded word [B, E] to read at step t, given the features [B, F] of the step before (undefined at t
  /// = 0).
  using WordAt = std::function<Tensor(int64_t t, const Tensor& features)>;
  /// As `forward`, with dropout of the same rates, but each word is asked for when its turn comes.
  virtual StepSequence forward_by_word(const Memory& memory, int64_t steps, const WordAt& word_at,
                                       Noise* noise) = 0;
  virtual void initialize(Initializer& initializer) = 0;
  virtual int64_t feature_size() const = 0;
  virtual bool has_attention() const = 0;
};

/// Stacked recurrent cells with attention over the encoder's states:
///   h_t = RNN(x_t [; feed_{t-1}], h_{t-1}),  c_t = attention(h_t),  feature_t = tanh(W [c_t; h_t])
/// (Luong et al. 2015 with input feeding; with `additive`, Bahdanau's comparison). A context gate weighs the
/// two parts of the feature (Tu et al. 2017); here it reads c_t and h_t, which has read x_t. Without
/// attention the features are h_t, and the encoder's summary initialises the state (Sutskever et al. 2014)
/// and, with input feeding, is fed at every step (Cho et al. 2014). Under a hierarchical encoder a second
/// attention looks at the sentences, and its log-weights are added to the scores of their words, which
/// re-weights and renormalises as Nallapati et al. (2016, section 2.3) do. p_gen is made from the feature and
/// the embedded input.
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

 private:
  struct View;    // the named tensors of a State
  struct Looked;  // those of a Memory that are looked at
  struct Masks;   // dropout masks that last for a whole sentence
  Step recur(const Memory& memory, const Tensor& input_gates, const State& state, const Masks& masks,
             Noise* noise);
  Looked looked_at(const Memory& memory) const;
  AttentionResult attend(const Memory& memory, const Tensor& query, const CoverageState& past);
  Tensor combined(const Tensor& context, const Tensor& state);
  Tensor first_gates(const Memory& memory, const Tensor& embedded);
  Tensor copy_gate(const Tensor& features, const Tensor& embedded, const Tensor& attention);
  StepSequence unroll(const Memory& memory, int64_t steps, const WordAt& gates_at, Noise* noise);

  RnnDecoderOptions options_;
  std::vector<RecurrentLayer> layers_;
  std::vector<LayerNorm> norms_;  // with layer normalization: behind each layer
  Linear bridge_{nullptr}, feed_{nullptr}, combine_{nullptr};
  Linear context_part_{nullptr}, state_part_{nullptr}, context_gate_{nullptr};  // instead of combine_
  std::shared_ptr<Attention> attention_, sentence_attention_;
  Linear copy_gate_{nullptr};
};

}  // namespace seq2seq
