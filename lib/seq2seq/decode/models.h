#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "seq2seq/decode/ensemble.h"
#include "seq2seq/decode/script_model.h"
#include "seq2seq/decode/shortlist.h"
#include "seq2seq/model/archive/checkpoint.h"
#include "seq2seq/text/tokenizer.h"

namespace seq2seq {

/// Scorers of one model, one for each thread that decodes: `workers` of them, 0 = as many as LibTorch has
/// threads on a CPU (between its products a step has little to share out, so that one-threaded searches beat
/// one with all threads), else one. They share one copy of the weights laid out for decoding (WeightStore),
/// made now: the weights must not change while a scorer lives. `shortlist` null = any word can be written.
std::vector<std::unique_ptr<Scorer>> make_scorers(
    const Seq2Seq& model, int64_t workers = 0, const std::shared_ptr<const Shortlist>& shortlist = nullptr);

/// An archive that is known by its methods alone (docs/archives.md) and what it reads and writes.
struct ForeignModel {
  std::string path;
  /// Vocabulary files, or SentencePiece .model files, of its ids.
  std::string source_vocabulary, target_vocabulary;
  PlainTokenizer tokenizer = PlainTokenizer::whitespace;  ///< unless the vocabularies are .model files
  int64_t maximum_length = 250;                           ///< source tokens; longer lines are cut
};

/// What decodes as one: a model of ours, an ensemble of several, or an archive made by another program.
struct DecodingModels {
  std::vector<TranslationModel> ours;  ///< empty with a foreign one
  std::shared_ptr<const ScriptModel> foreign;
  EnsembleMean mean = EnsembleMean::linear;
  TextCodecs text;
  int64_t maximum_length = 0;  ///< source tokens that all of them read

  explicit DecodingModels(TranslationModel model);
  /// Throws Error naming the first model that is missing, or that reads text otherwise than the first.
  static DecodingModels load(const std::vector<std::string>& paths, EnsembleMean mean,
                             const at::Device& device);
  static DecodingModels load(const ForeignModel& archive, const at::Device& device);

  bool has_attention() const;
  at::Device device() const;
  /// As `make_scorers` of one model. A shortlist is for one model of ours.
  std::vector<std::unique_ptr<Scorer>> scorers(
      int64_t workers = 0, const std::shared_ptr<const Shortlist>& shortlist = nullptr) const;

 private:
  DecodingModels() = default;
};

}  // namespace seq2seq
