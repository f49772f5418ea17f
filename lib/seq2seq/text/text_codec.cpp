#include "seq2seq/text/text_codec.h"

#include <utility>

namespace seq2seq {

TextCodec::TextCodec(const TokenizerOptions& options, const NormalizationOptions& normalization,
                     const std::string& state, Vocabulary vocabulary)
    : tokenizer_(make_tokenizer(options, normalization, state)), vocabulary_(std::move(vocabulary)) {}

TextCodec::TextCodec(std::unique_ptr<Tokenizer> tokenizer, Vocabulary vocabulary)
    : tokenizer_(std::move(tokenizer)), vocabulary_(std::move(vocabulary)) {}

std::vector<int64_t> TextCodec::ids(std::span<const Token> tokens) const {
  std::vector<int64_t> result;
  result.reserve(tokens.size());
  for (const Token& token : tokens) {
    const int64_t id = vocabulary_.id(token.text);
    // Text spelled like a special token must not act as one.
    result.push_back(id < Vocabulary::special_count ? Vocabulary::unknown : id);
  }
  return result;
}

std::vector<int64_t> TextCodec::ids(std::string_view line) const {
  return ids(tokenize(line));
}

bool TextCodec::lowercases() const {
  std::string text;  // of an example: a SentencePiece model does not say it
  for (const Token& token : tokenize("A")) text += token.text;
  return text.find('a') != std::string::npos && text.find('A') == std::string::npos;
}

}  // namespace seq2seq
