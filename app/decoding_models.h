#pragma once

// What the commands that decode are given as models.

#include <memory>
#include <string>
#include <vector>

#include "same_file.h"
#include "seq2seq/core/options.h"
#include "seq2seq/decode/ensemble.h"
#include "seq2seq/decode/script_model.h"
#include "seq2seq/decode/translator.h"
#include "seq2seq/model/archive/checkpoint.h"
#include "seq2seq/text/tokenizer.h"

namespace seq2seq {

struct DecodingModelOptions {
  std::vector<std::string> model;
  EnsembleMean ensemble = EnsembleMean::linear;
  std::string source_vocabulary, target_vocabulary;
  PlainTokenizer tokenizer = PlainTokenizer::whitespace;
  int64_t maximum_length = 250;

  /// Whether it is an archive known by its methods alone.
  bool foreign() const { return !source_vocabulary.empty(); }
  static void fields(auto& o, auto& f) {
    f("model", o.model,
      "a run directory (its best checkpoint), a checkpoint directory or a model.pt; several with the same "
      "vocabularies decode together");
    f("ensemble", o.ensemble,
      "of several models: the mean of their probabilities (linear), or the geometric mean (log)");
    f("source-vocabulary", o.source_vocabulary,
      "for a TorchScript archive made by another program, whose methods this runs (docs/archives.md): the "
      "tokens of its source ids, a vocabulary file or a SentencePiece .model");
    f("target-vocabulary", o.target_vocabulary, "the tokens of its target ids");
    f("tokenizer", o.tokenizer, "what its tokens are; with a SentencePiece .model: its pieces");
    f("maximum-length", o.maximum_length, "source tokens it reads; longer lines are cut", in_range(1, 1e6));
  }
};

/// Rules between fields. Throws UsageError.
void check(const DecodingModelOptions& options);

/// What they are read from, for `check_files`. Throws Error when a model does not exist.
std::vector<NamedFile> files_of(const DecodingModelOptions& options);

/// Models of ours, or an archive known by its methods.
struct DecodingModels {
  std::vector<TranslationModel> ours;
  std::vector<std::shared_ptr<WeightStore>> packed;  ///< of ours
  std::shared_ptr<const ScriptModel> foreign;
  EnsembleMean mean;
  TextCodecs text;
  int64_t maximum_length = 0;

  static DecodingModels load(const DecodingModelOptions& options, const at::Device& device);
  bool has_attention() const;
  bool on_cpu() const;
  /// One for each thread that decodes. `shortlist` null = any word can be written.
  std::unique_ptr<Scorer> scorer(std::shared_ptr<const Shortlist> shortlist = nullptr) const;
};

}  // namespace seq2seq
