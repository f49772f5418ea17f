#include "seq2seq/text/tokenizers.h"
#include "seq2seq/text/white_space.h"

namespace seq2seq {
namespace {

class WhitespaceTokenizer : public Tokenizer {
 public:
  explicit WhitespaceTokenizer(const NormalizationOptions& normalization) : normalization_(normalization) {}

  std::vector<Token> tokenize(std::string_view given) const override {
    const std::string line = with_plain_spaces(given);
    const NormalizedText normalized = normalize_with_origins(line, normalization_);
    const std::string_view text = normalized.text;
    std::vector<Token> tokens;
    for (size_t begin = text.find_first_not_of(' '); begin != std::string_view::npos;) {
      const size_t end = std::min(text.find(' ', begin), text.size());
      const size_t from = normalized.origin(begin), to = normalized.origin(end);
      tokens.push_back({std::string(text.substr(begin, end - begin)), line.substr(from, to - from)});
      begin = text.find_first_not_of(' ', end);
    }
    return tokens;
  }

  std::string detokenize(std::span<const std::string> tokens) const override {
    std::string line;
    for (const std::string& token : tokens) {
      if (!line.empty() && !token.empty()) line += ' ';
      line += token;
    }
    return line;
  }

  Spelling spelling(const std::string& token) const override { return {token}; }

 private:
  NormalizationOptions normalization_;
};

}  // namespace

std::unique_ptr<Tokenizer> make_whitespace_tokenizer(const NormalizationOptions& normalization) {
  return std::make_unique<WhitespaceTokenizer>(normalization);
}

}  // namespace seq2seq
