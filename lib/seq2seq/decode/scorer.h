#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "seq2seq/decode/shortlist.h"
#include "seq2seq/model/seq2seq_model.h"
#include "seq2seq/nn/engine/weight_store.h"

namespace seq2seq {

/// One step of search: how N hypotheses may go on.
struct Expansion {
  Candidates best;   ///< [N, k]
  Tensor attention;  ///< [N, S] over the source; meaningless without attention
};

/// The whole distribution of the next word.
struct Distribution {
  Tensor log_probabilities;  ///< [N, W]: words, then slots of the sentences in work where the model copies
  Tensor attention;          ///< as above
};

/// Of given outputs of the sentences in work.
struct TargetScores {
  Tensor log_probabilities;  ///< [B, T]
  Tensor attention;          ///< [B, T, S]
};

/// All that search knows of a model. It holds the sentences in work; hypotheses are rows of a State, those of
/// a sentence adjacent and equally many for each, and are selected with State::select.
class Scorer {
 public:
  virtual ~Scorer() = default;
  /// Reads the sentences and forgets earlier ones. Lengths include </s>.
  virtual void begin(const SourceBatch& source) = 0;
  /// One empty hypothesis a sentence.
  virtual State start() = 0;
  /// Appends tokens [N] to the hypotheses and tells of every word how they go on.
  virtual Distribution distribution(const Tensor& tokens, State& state) = 0;
  /// The same, but names only the k likeliest next words of each, never one of `banned`.
  virtual Expansion expand(const Tensor& tokens, State& state, int64_t k, const std::vector<int64_t>& banned);
  /// The log-probability of each of `outputs` [B, T] behind <s> and the words before it, which are `inputs`
  /// [B, T]; one output a sentence. Step by step, unless a model knows better.
  virtual TargetScores score_targets(const Tensor& inputs, const Tensor& outputs);
  /// Keeps the sentences `rows` [M] int64 only, in this order.
  virtual void keep_sentences(const Tensor& rows) = 0;
  /// Words, and slots of the sentences in work, that can be written or banned.
  virtual int64_t vocabulary_size() const = 0;
  virtual bool has_attention() const = 0;
  virtual at::Device device() const = 0;
};

/// One of our own models. Several scorers may share it. With a shortlist `distribution` and `score_targets`
/// are not to be had: they are of all words.
class ModelScorer : public Scorer {
 public:
  /// `weights` of the model, laid out for decoding, which several scorers share; null = as they are.
  /// `shortlist` null = any word can be written.
  explicit ModelScorer(Seq2Seq model, std::shared_ptr<WeightStore> weights = nullptr,
                       std::shared_ptr<const Shortlist> shortlist = nullptr)
      : model_(std::move(model)), weights_(std::move(weights)), shortlist_(std::move(shortlist)) {}
  void begin(const SourceBatch& source) override;
  State start() override { return model_->start(*memory_); }
  Distribution distribution(const Tensor& tokens, State& state) override;
  Expansion expand(const Tensor& tokens, State& state, int64_t k,
                   const std::vector<int64_t>& banned) override;
  TargetScores score_targets(const Tensor& inputs, const Tensor& outputs) override;
  void keep_sentences(const Tensor& rows) override { memory_ = memory_->select(rows); }
  int64_t vocabulary_size() const override {
    const int64_t slots = memory_ && memory_->has_copy_slots() ? memory_->copy_slots().size(1) : 0;
    return (words_.ids.defined() ? words_.ids.size(0) : model_->target_vocabulary_size()) + slots;
  }
  bool has_attention() const override { return model_->has_attention(); }
  at::Device device() const override { return device_; }

 private:
  Candidates top_k(const Step& step, int64_t k, const std::vector<int64_t>& banned);

  Seq2Seq model_;
  std::shared_ptr<WeightStore> weights_;
  std::shared_ptr<const Shortlist> shortlist_;
  OutputWords words_;  // those of the sentences in work
  at::Device device_ = model_->device();
  std::optional<Memory> memory_;
};

}  // namespace seq2seq
