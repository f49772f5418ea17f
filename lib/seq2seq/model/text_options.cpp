#include "seq2seq/model/text_options.h"

#include "seq2seq/core/error.h"

namespace seq2seq {

SEQ2SEQ_DEFINE_OPTIONS(TextOptions)

void check(const TextOptions& options) {
  if (options.shared_vocabulary && !options.target_vocabulary.empty())
    throw UsageError("target-vocabulary",
                     "'" + options.target_vocabulary + "' is given though the vocabulary is shared",
                     "set shared-vocabulary to false, or give source-vocabulary alone");
  if (!options.shared_vocabulary && options.source_vocabulary.empty() != options.target_vocabulary.empty())
    throw UsageError(options.source_vocabulary.empty() ? "source-vocabulary" : "target-vocabulary",
                     "is missing", "give both vocabularies or neither");
  const auto* sentencepiece = std::get_if<SentencePieceTokenizerOptions>(&options.tokenizer);
  if (sentencepiece != nullptr && (!options.source_vocabulary.empty() || !options.target_vocabulary.empty()))
    throw UsageError("source-vocabulary", "is not for sentencepiece",
                     "a SentencePiece model brings its own: give tokenizer.model");
  if (sentencepiece != nullptr && !sentencepiece->model.empty() && !options.shared_vocabulary)
    throw UsageError("tokenizer.model", "is one model for both sides", "set shared-vocabulary to true");
  const bool made =
      options.source_vocabulary.empty() && (sentencepiece == nullptr || sentencepiece->model.empty());
  if (!made && options.vocabulary_size != 0)
    throw UsageError("vocabulary-size", "would change nothing: the vocabulary is given", "leave it out");
  if (options.minimum_frequency != 1 && (!made || sentencepiece != nullptr))
    throw UsageError("minimum-frequency",
                     made ? "is not for sentencepiece" : "would change nothing: the vocabulary is given",
                     made ? "set vocabulary-size instead" : "leave it out");
}

}  // namespace seq2seq
