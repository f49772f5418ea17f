#pragma once

#include <span>
#include <string>
#include <vector>

#include "seq2seq/data/corpus.h"
#include "seq2seq/model/options.h"
#include "seq2seq/model/quantized_weights.h"
#include "seq2seq/model/seq2seq_model.h"
#include "seq2seq/model/text_options.h"

namespace seq2seq {

/// What is needed to use a model on text.
struct TranslationModel {
  ModelOptions model_options;
  TextOptions text_options;
  TextCodecs text;
  Seq2Seq model{nullptr};
  /// Weights in fewer bits, if they come from such a file. A model that has some is used as it is, not trained.
  QuantizedWeights quantized = {};
  int64_t maximum_length = 250;  ///< source tokens; longer lines are cut
  ExampleKeys keys = {};         ///< of the JSON lines it was trained on, if not `source` and `target`
  /// Free metadata as JSON text: training step, scores, time, program version.
  std::string provenance = "{}";
  /// Inputs with the outputs and scores they must give, as JSON text (decode/self_test.h); empty = none.
  std::string self_test;
  /// What the archive offers to other programs, when it was loaded from one (model/archive/torchscript.h).
  std::vector<std::string> methods;
};

/// Settles how the text is numbered, and tells a model that copies which words of its two vocabularies are
/// the same. After construction or loading.
void connect_vocabularies(TranslationModel& model);

/// Throws Error naming `origin` for a model with quantized weights: they cannot be used as those of a model to be trained or
/// averaged.
void require_float32_weights(const TranslationModel& model, const std::string& origin);

/// The same with its weights on the CPU; of a model that is there already, the model itself.
TranslationModel on_cpu(const TranslationModel& model);

/// Some pairs of a corpus as a model reads them; those without a source or target word are left out. Throws
/// Error when none is left.
std::vector<Example> numbered_pairs(const TranslationModel& model, const Corpus& corpus,
                                    std::span<const uint64_t> indices);

}  // namespace seq2seq
