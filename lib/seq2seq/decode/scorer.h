#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "seq2seq/decode/sentence_words.h"
#include "seq2seq/decode/shortlist.h"
#include "seq2seq/model/seq2seq_model.h"
#include "seq2seq/nn/engine/weight_store.h"

namespace seq2seq {

class ModelSteps;

/// One step of search: the most probable continuations of N hypotheses.
struct Expansion {
  Candidates best;   ///< [N, k]
  Tensor attention;  ///< [N, S] over the source; unused without attention
};

/// The full distribution of the next token.
struct Distribution {
  Tensor log_probabilities;  ///< [N, W]: W = V, or V + S if the model copies (slots: nn/ops/copy.h)
  Tensor attention;          ///< as above
};

/// A distribution whose probabilities sum to 1 but for this is renormalized, any other is refused.
constexpr double renormalized_within = 0.05;

/// Scores of given outputs, one per sentence of the batch.
struct TargetScores {
  Tensor log_probabilities;  ///< [B, T]
  Tensor attention;          ///< [B, T, S]
};

/// A model as search sees it. It holds the current batch of sentences; hypotheses are rows of a State,
/// equally many per sentence and those of a sentence adjacent, and are selected with State::select.
class Scorer {
 public:
  virtual ~Scorer() = default;
  /// Encodes a batch of sentences, which replaces the previous one. Lengths include </s>.
  virtual void begin(const SourceBatch& source) = 0;
  /// The same for outputs that must be able to hold the tokens `demanded` of their sentence, which a shortlist may lack.
  virtual void begin_with(const SourceBatch& source, const std::vector<std::vector<int64_t>>& demanded);
  /// One empty hypothesis per sentence.
  virtual State start() = 0;
  /// Appends tokens [N] to the hypotheses, updates `state` and returns the distribution of the next token.
  virtual Distribution distribution(const Tensor& tokens, State& state) = 0;
  /// The same, but returns only the k most probable next tokens of each hypothesis, never one of `banned`. With
  /// adjustments of the N hypotheses: the k best by score (nn/ops/top_k.h).
  virtual Expansion expand(const Tensor& tokens, State& state, int64_t k, const std::vector<int64_t>& banned,
                           const Adjustments& adjustments);
  /// Log-probabilities of `outputs` [B, T] by teacher forcing: `inputs` [B, T] are <s> and the tokens before
  /// each. One output per sentence. The default implementation calls `distribution` step by step.
  virtual TargetScores score_targets(const Tensor& inputs, const Tensor& outputs);
  /// Keeps only the sentences `rows` [M] int64, in this order.
  virtual void keep_sentences(const Tensor& rows) = 0;
  /// Whether that costs next to nothing, so that sentences can leave one by one.
  virtual bool keeps_cheaply() const { return false; }
  /// Number of tokens that can be generated or banned: the vocabulary, or the most words that a shortlist leaves a sentence,
  /// and the copy slots of the batch.
  virtual int64_t vocabulary_size() const = 0;
  virtual bool has_attention() const = 0;
  virtual at::Device device() const = 0;
  /// The sums of the probabilities of the last step [N] before they were renormalized; empty where the model
  /// ensures that they are 1.
  virtual std::span<const double> sums() const { return {}; }
  /// Whether results of a sentence depend on it alone, bit for bit, whatever else is in the batch and however many threads
  /// compute it, with the present settings (Compute).
  virtual bool batch_invariant() { return false; }
  /// Why its steps are computed by tensors rather than by ModelSteps, with the present settings; empty = they are not.
  virtual std::string why_no_steps() { return "only models of seq2seq train have others"; }
};

/// Scorer of a Seq2Seq model, which several scorers may share. With a shortlist the probabilities of a sentence are those
/// among its own candidates, what is demanded of it and what it can copy; `distribution` and `score_targets`, which cover the
/// whole vocabulary, are not available.
class ModelScorer : public Scorer {
 public:
  /// `weights`: packed copies of the weights, which several scorers may share; null = not packed.
  /// `shortlist`: null = any token can be generated.
  explicit ModelScorer(Seq2Seq model, std::shared_ptr<WeightStore> weights = nullptr,
                       std::shared_ptr<const Shortlist> shortlist = nullptr);
  ~ModelScorer() override;
  void begin(const SourceBatch& source) override { begin_with(source, {}); }
  void begin_with(const SourceBatch& source, const std::vector<std::vector<int64_t>>& demanded) override;
  State start() override;
  Distribution distribution(const Tensor& tokens, State& state) override;
  Expansion expand(const Tensor& tokens, State& state, int64_t k, const std::vector<int64_t>& banned,
                   const Adjustments& adjustments) override;
  TargetScores score_targets(const Tensor& inputs, const Tensor& outputs) override;
  void keep_sentences(const Tensor& rows) override;
  bool keeps_cheaply() const override { return steps_ != nullptr; }
  int64_t vocabulary_size() const override {
    const int64_t slots = memory_ && memory_->has_copy_slots() ? memory_->copy_slots().size(1) : 0;
    return (words_ ? words_->most() : model_->target_vocabulary_size()) + slots;
  }
  bool has_attention() const override { return model_->has_attention(); }
  at::Device device() const override { return device_; }
  /// Where ModelSteps computes the steps.
  bool batch_invariant() override;
  std::string why_no_steps() override;

 private:
  void find_steps();
  void list_words(const SourceBatch& source, const std::vector<std::vector<int64_t>>& demanded);
  /// Appends `tokens` to the hypotheses of `state`.
  Step advance(const Tensor& tokens, State& state);
  Candidates top_k(const Step& step, int64_t k, const std::vector<int64_t>& banned,
                   const Adjustments& adjustments);

  Seq2Seq model_;
  std::shared_ptr<WeightStore> weights_;
  std::shared_ptr<const Shortlist> shortlist_;
  // Of the current batch, with a shortlist
  std::optional<SentenceWords> words_;
  OutputWords output_words_;
  at::Device device_ = model_->device();
  std::optional<Memory> memory_;
  /// Where the model has them; a State is then the row of each hypothesis among those of the last step.
  std::unique_ptr<ModelSteps> steps_;
};

}  // namespace seq2seq
