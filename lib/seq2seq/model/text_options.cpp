#include "seq2seq/model/text_options.h"

#include "seq2seq/core/error.h"

namespace seq2seq {

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
    throw UsageError("source-vocabulary", "is for word and char tokenizers",
                     "a SentencePiece model brings its own: give tokenizer.model");
  if (sentencepiece != nullptr && !sentencepiece->model.empty() && !options.shared_vocabulary)
    throw UsageError("tokenizer.model", "is one model for both sides", "set shared-vocabulary to true");
}

}  // namespace seq2seq
