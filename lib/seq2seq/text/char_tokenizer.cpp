#include "seq2seq/text/token_escape.h"
#include "seq2seq/text/tokenizers.h"
#include "seq2seq/text/utf8.h"

namespace seq2seq {
namespace {

class CharTokenizer : public Tokenizer {
 public:
  explicit CharTokenizer(const NormalizationOptions& normalization) : normalization_(normalization) {}

  std::vector<Token> tokenize(std::string_view line) const override {
    const NormalizedText normalized = normalize_with_origins(line, normalization_);
    std::vector<Token> tokens;
    size_t at = 0;
    for (const std::string_view character : utf8_characters(normalized.text)) {
      const size_t begin = normalized.origin(at);
      at += character.size();
      const std::string_view original = line.substr(begin, normalized.origin(at) - begin);
      tokens.push_back({escape_token(character), escape_token(original)});
    }
    return tokens;
  }

  bool keeps_white_space() const override { return true; }

  std::string detokenize(std::span<const std::string> tokens) const override {
    std::string line;
    for (const std::string& token : tokens) line += unescape_token(token);
    return line;
  }

  Spelling spelling(const std::string& token) const override { return {unescape_token(token), true, true}; }

 private:
  NormalizationOptions normalization_;
};

}  // namespace

std::unique_ptr<Tokenizer> make_char_tokenizer(const NormalizationOptions& normalization) {
  return std::make_unique<CharTokenizer>(normalization);
}

}  // namespace seq2seq
