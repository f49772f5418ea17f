#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "seq2seq/decode/scorer.h"

namespace torch::jit {
struct Module;
}

namespace seq2seq {

/// A model known only by the methods of its TorchScript archive (docs/archives.md):
///   encode(source_ids [B, S] int64, source_lengths [B] int64) -> memory: List[Tensor]
///   start(memory) -> state: List[Tensor], one row per sentence
///   step(memory, tokens [B] int64, state) -> (log_probabilities [B, V] or [B, V + S], attention [B, S] or
///                                             [B, 0], state)
/// Memory and state have the same rows: where a sentence has several hypotheses, its memory is repeated.
class ScriptModel {
 public:
  /// Loads the archive (its code is executed) and tries its methods on short sentences. Throws Error naming a
  /// method that is missing, has another signature or returns something invalid, as do the methods below.
  ScriptModel(const std::filesystem::path& path, int64_t source_vocabulary, int64_t target_vocabulary,
              const at::Device& device);
  ~ScriptModel();
  ScriptModel(const ScriptModel&) = delete;
  ScriptModel& operator=(const ScriptModel&) = delete;
  /// A copy that shares the weights but not the attributes, to which methods may assign.
  std::shared_ptr<ScriptModel> for_another_thread() const;

  std::vector<Tensor> encode(const SourceBatch& source) const;
  std::vector<Tensor> start(const std::vector<Tensor>& memory) const;
  struct Result {
    Tensor log_probabilities, attention;
    State next;
    std::vector<double> sums;                    ///< of the probabilities before they were renormalized
    bool copies = false, has_attention = false;  ///< inferred from the widths
  };
  /// `width`: the source length S of the ids that `memory` was computed from.
  Result step(const std::vector<Tensor>& memory, const Tensor& tokens, const State& state,
              int64_t width) const;

  bool has_attention() const { return has_attention_; }
  /// Whether source tokens can be copied by their positions: V + S log-probabilities.
  bool copies() const { return copies_; }
  int64_t target_vocabulary_size() const { return target_vocabulary_; }
  at::Device device() const { return device_; }

 private:
  ScriptModel(const ScriptModel& other, torch::jit::Module module);
  void need(bool holds, const std::string& problem) const;
  void need_rows(const std::vector<Tensor>& list, int64_t rows, const char* method) const;
  at::IValue call(const char* method, std::vector<at::IValue> inputs) const;
  void check_signatures() const;
  void renormalize(Result& result) const;
  void try_out(int64_t source_vocabulary);

  std::string path_;
  std::unique_ptr<torch::jit::Module> module_;
  int64_t target_vocabulary_;
  at::Device device_;
  bool has_attention_ = true, copies_ = false;
  std::shared_ptr<std::atomic<bool>> warned_ = std::make_shared<std::atomic<bool>>(false);
};

class ScriptScorer : public Scorer {
 public:
  explicit ScriptScorer(std::shared_ptr<const ScriptModel> model) : model_(std::move(model)) {}
  void begin(const SourceBatch& source) override;
  State start() override;
  Distribution distribution(const Tensor& tokens, State& state) override;
  void keep_sentences(const Tensor& rows) override;
  int64_t vocabulary_size() const override {
    return model_->target_vocabulary_size() + (model_->copies() ? width_ : 0);
  }
  bool has_attention() const override { return model_->has_attention(); }
  at::Device device() const override { return model_->device(); }
  std::span<const double> sums() const override { return sums_; }
  std::string why_no_steps() override { return "the archive of another program has its own"; }

 private:
  std::shared_ptr<const ScriptModel> model_;
  std::vector<double> sums_;
  int64_t width_ = 0;        // source length S
  Rows memory_;              // one row per sentence
  Rows repeated_;            // one row per hypothesis
  int64_t repetitions_ = 1;  // hypotheses per sentence in `repeated_`
};

}  // namespace seq2seq
