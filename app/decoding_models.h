#pragma once

// The options of translate and score that select the models.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "same_file.h"
#include "seq2seq/core/options.h"
#include "seq2seq/decode/models.h"

namespace seq2seq {

/// The format of weights: that of the model's file, or another.
enum class KeptWeights { file, float32, bfloat16, int8 };
std::span<const char* const> option_names(KeptWeights);
/// Nothing for that of the file.
std::optional<WeightFormat> weight_format(KeptWeights kept);

struct DecodingModelOptions {
  std::vector<std::string> model;
  EnsembleMean ensemble = EnsembleMean::linear;
  std::string source_vocabulary, target_vocabulary;
  PlainTokenizer tokenizer = PlainTokenizer::whitespace;
  int64_t maximum_length = 250;
  KeptWeights weights = KeptWeights::file;

  /// Whether the model is an archive made by another program, known by its methods only.
  bool foreign() const { return !source_vocabulary.empty(); }
  bool all_sentencepiece() const {
    return source_vocabulary.ends_with(".model") && target_vocabulary.ends_with(".model");
  }
  /// The number format of weights, of every command that computes with those of a model.
  static void weights_field(auto& o, auto& f, const OptionCondition& condition) {
    f("weights", o.weights, "how large weights are kept on a processor (docs/decoding.md)", everyday,
      condition);
  }
  static void fields(auto& o, auto& f) {
    f("model", o.model,
      "a run directory, checkpoint directory or model.pt; of a run its best checkpoint; several with the "
      "same vocabularies form an ensemble",
      everyday);
    f("ensemble", o.ensemble,
      "of several models: arithmetic (linear) or geometric mean (log) of their probabilities",
      only_if(o.model.size() != 1, "name several models, or leave it out"));
    f("source-vocabulary", o.source_vocabulary,
      "for a TorchScript archive made by another program, whose methods are executed (docs/archives.md): the "
      "tokens of its source ids, a vocabulary file or a SentencePiece .model");
    f("target-vocabulary", o.target_vocabulary, "the tokens of its target ids");
    const OptionCondition for_foreign =
        only_if(o.foreign(), "add --source-vocabulary and --target-vocabulary, or leave it out");
    f("tokenizer", o.tokenizer, "how its text is tokenized; with a SentencePiece .model: into its pieces",
      for_foreign,
      only_if(!o.all_sentencepiece(), "leave it out: the vocabularies are SentencePiece models"));
    f("max-source-length", o.maximum_length, "maximum number of source tokens; longer lines are truncated",
      in_range(1, 1e6), for_foreign, formerly("maximum-length"));
    weights_field(o, f,
                  only_if(!o.foreign(), "leave it out: an archive made by another program has its own"));
  }
};

/// Rules between fields. Throws UsageError.
void check(const DecodingModelOptions& options);

/// The files to be read, for `check_files`. Throws Error if a model does not exist.
std::vector<NamedFile> files_of(const DecodingModelOptions& options);

/// Loads the models, or the archive, that the options name.
DecodingModels load_models(const DecodingModelOptions& options, const at::Device& device);

}  // namespace seq2seq
