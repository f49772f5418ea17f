#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "seq2seq/data/example.h"
#include "seq2seq/text/text_codec.h"

namespace seq2seq {

/// What a model needs to know about its text besides the tokens.
struct TextForm {
  bool copying = false;            ///< tokens outside the vocabulary are distinguished
  bool sentences = false;          ///< <s> separates the sentences of a source
  std::string sentence_separator;  ///< of sentences in plain text; empty: split_sentences finds them
};

/// A source as the model reads it.
struct NumberedSource {
  /// With copying, a token outside the vocabulary of size V is V + its first position.
  std::vector<int64_t> ids;
  std::vector<Token> tokens;  ///< one per id; empty for <s> between sentences
  int64_t whole_length = 0;   ///< number of ids before truncation
};

/// Tokenizes a source and maps it to ids. `sentences` are those of a file that gives them, else `text` is
/// split. Truncates to `limit` tokens (0 = no limit). A text of white space alone has none.
NumberedSource number_source(const TextCodec& codec, std::string_view text,
                             std::span<const std::string> sentences, const TextForm& form, int64_t limit = 0);

/// The tokens of a target. A text of white space alone has none.
std::vector<Token> target_tokens(const TextCodec& codec, std::string_view text);

/// The ids of that source's target, by its text or its tokens. With copying, a token outside the target vocabulary of size V is V + its
/// first position in the source, or <unk> if it does not occur there.
std::vector<int64_t> number_target(const TextCodec& codec, std::string_view text,
                                   const NumberedSource& source, const TextForm& form);
std::vector<int64_t> number_target(const TextCodec& codec, const std::vector<Token>& tokens,
                                   const NumberedSource& source, const TextForm& form);

/// Splits after . ! ? (and closing quotes or brackets after them) before white space, unless a lowercase
/// letter follows or a single capital letter precedes the point ("J. Smith"). Returns at least one sentence,
/// which is empty only for an empty text.
std::vector<std::string> split_sentences(std::string_view text);

}  // namespace seq2seq
