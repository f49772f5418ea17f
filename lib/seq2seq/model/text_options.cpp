#include "seq2seq/model/text_options.h"

#include "seq2seq/core/error.h"

namespace seq2seq {

SEQ2SEQ_DEFINE_OPTIONS(TextOptions)

bool TextOptions::makes_vocabulary() const {
  const auto* sentencepiece = std::get_if<SentencePieceTokenizerOptions>(&tokenizer);
  return source_vocabulary.empty() && (sentencepiece == nullptr || sentencepiece->model.empty());
}

void check(const TextOptions& options) {
  if (options.shared_vocabulary && !options.target_vocabulary.empty())
    throw UsageError("--target-vocabulary",
                     "'" + options.target_vocabulary + "' is given though the vocabulary is shared",
                     "add --no-shared-vocabulary, or give --source-vocabulary alone");
  if (!options.shared_vocabulary && options.source_vocabulary.empty() != options.target_vocabulary.empty())
    throw UsageError(options.source_vocabulary.empty() ? "--source-vocabulary" : "--target-vocabulary",
                     "is missing", "give both vocabularies or neither");
  const auto* sentencepiece = std::get_if<SentencePieceTokenizerOptions>(&options.tokenizer);
  if (sentencepiece != nullptr && (!options.source_vocabulary.empty() || !options.target_vocabulary.empty()))
    throw UsageError("--source-vocabulary", "is not for sentencepiece",
                     "a SentencePiece model brings its own: give --tokenizer.model");
  if (sentencepiece != nullptr && !sentencepiece->model.empty() && !options.shared_vocabulary)
    throw UsageError("--tokenizer.model", "is one model for both sides", "add --shared-vocabulary");
  check_conditions(options);
}

}  // namespace seq2seq
