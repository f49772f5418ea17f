#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "seq2seq/decode/ensemble.h"
#include "seq2seq/decode/script_model.h"
#include "seq2seq/decode/shortlist.h"
#include "seq2seq/model/archive/checkpoint.h"
#include "seq2seq/nn/engine/packed_weight.h"
#include "seq2seq/text/tokenizer.h"

namespace seq2seq {

/// Throws UsageError where weights of this format cannot be used: all but float32 are for the fast kernels of a CPU and
/// products in float32, with the present settings (Compute). `from_file`: whether it is that of a file, and not asked for.
void check_weights(WeightFormat format, const at::Device& device, bool from_file = false);

/// Scorers of one model, one per decoding thread: `workers` of them; 0 = on a CPU as many as LibTorch has
/// threads (a decoding step has little to parallelize, so single-threaded searches side by side are faster
/// than one search on all threads), elsewhere up to four, so that the bookkeeping of one search overlaps with
/// the computing of another. They share one packed copy of the weights (WeightStore): the weights must not
/// change while a scorer lives. `shortlist` null = any token can be generated. `format`: of that copy (docs/decoding.md);
/// `quantized`: weights that are used as they are where it is theirs. Throws UsageError as `check_weights`.
std::vector<std::unique_ptr<Scorer>> make_scorers(const Seq2Seq& model, int64_t workers = 0,
                                                  const std::shared_ptr<const Shortlist>& shortlist = nullptr,
                                                  WeightFormat format = WeightFormat::float32,
                                                  const QuantizedWeights& quantized = {});

/// A TorchScript archive of another program, used through its methods alone (docs/archives.md), and the text
/// that it reads and writes.
struct ForeignModel {
  std::string path;
  /// Vocabulary files or SentencePiece .model files that define its ids.
  std::string source_vocabulary, target_vocabulary;
  PlainTokenizer tokenizer = PlainTokenizer::whitespace;  ///< unless the vocabularies are .model files
  int64_t maximum_length = 250;                           ///< source tokens; longer lines are truncated
};

/// The models that decode together: one model, an ensemble, or an archive made by another program.
struct DecodingModels {
  std::vector<TranslationModel> ours;  ///< empty with a foreign archive
  std::shared_ptr<const ScriptModel> foreign;
  EnsembleMean mean = EnsembleMean::linear;
  TextCodecs text;
  int64_t maximum_length = 0;  ///< source tokens; the smallest limit of the models
  std::optional<WeightFormat>
      weights;  ///< of scorers; nothing = as in the file of each model, and of foreign archives

  explicit DecodingModels(TranslationModel model);
  /// Their weights may lie in the files (WeightMemory::mapped): before anything else than these scorers computes with one of
  /// them, give it its values (restore_values). Throws Error naming the first model that is missing, or
  /// whose vocabularies or text processing differ from those of the first.
  static DecodingModels load(const std::vector<std::string>& paths, EnsembleMean mean,
                             const at::Device& device);
  static DecodingModels load(const ForeignModel& archive, const at::Device& device);

  bool has_attention() const;
  /// With which scorers compute: the shortest numbers, if the files of several models differ.
  WeightFormat weight_format() const;
  at::Device device() const;
  /// Those given, else those of the first model's training text.
  ExampleKeys keys(const ExampleKeys& given = {}) const;
  /// As `make_scorers`. Throws UsageError for a shortlist beside several models or a foreign archive.
  std::vector<std::unique_ptr<Scorer>> scorers(
      int64_t workers = 0, const std::shared_ptr<const Shortlist>& shortlist = nullptr) const;

 private:
  DecodingModels() = default;
};

}  // namespace seq2seq
