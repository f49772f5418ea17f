#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "seq2seq/data/example.h"
#include "seq2seq/text/text_codec.h"

namespace seq2seq {

/// What a model wants to know of its text beyond words.
struct TextForm {
  bool copying = false;            ///< words that a vocabulary lacks are told apart
  bool sentences = false;          ///< <s> stands between the sentences of a source
  std::string sentence_separator;  ///< between sentences in plain text; empty: split_sentences finds them
};

/// A source as the model reads it.
struct NumberedSource {
  std::vector<int64_t>
      ids;  ///< a word beyond the vocabulary of V words is V + its first position, when copying
  std::vector<Token> tokens;  ///< as many; <s> between sentences is an empty one
  int64_t whole_length = 0;   ///< before it was cut
};

/// Tokenizes and numbers a source. `sentences` are those of a file that gives them, else `text` is split.
/// Ends after `limit` tokens (0 = never). A text of white space alone has none.
NumberedSource number_source(const TextCodec& codec, std::string_view text,
                             std::span<const std::string> sentences, const TextForm& form, int64_t limit = 0);

/// The target of that source. When copying, a word that the target vocabulary of V words lacks is V + the
/// position where it first stands in the source, or <unk> when it does not.
std::vector<int64_t> number_target(const TextCodec& codec, std::string_view text,
                                   const NumberedSource& source, const TextForm& form);

/// Splits after . ! ? (and closing quotes or brackets behind them) before white space, unless a small letter
/// follows or one single capital letter stands before the point ("J. Smith"). At least one sentence; none is
/// empty but the only one.
std::vector<std::string> split_sentences(std::string_view text);

}  // namespace seq2seq
