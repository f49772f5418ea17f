#pragma once

#include <optional>
#include <string>

#include "seq2seq/data/corpus.h"
#include "seq2seq/model/text_options.h"
#include "seq2seq/train/options.h"

namespace seq2seq {

/// Where the vocabularies, the subword model or the model come from that a run is given.
struct GivenText {
  std::string source, target;  ///< files or, of a model, its path
  bool model = false;          ///< that brings its own vocabularies
  /// What to give instead, where it does not know the text.
  std::string remedy() const;
};

/// Nothing where the training text makes the vocabularies.
std::optional<GivenText> given_text(const TextOptions& text, const std::string& initialize_from);

/// Reads the vocabularies or the subword model that the options name, which must name some. Throws Error.
TextCodecs read_text(const TextOptions& options);

/// Warns where what is given leaves a notable share of the corpus unknown, and throws Error above
/// --max-unknown.
void check_given_text(const TrainOptions& options, const Corpus& corpus, const TextCodecs& text);

}  // namespace seq2seq
