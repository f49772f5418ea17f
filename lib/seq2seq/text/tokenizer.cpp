#include "seq2seq/text/tokenizer.h"

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/text/tokenizers.h"

namespace seq2seq {

std::span<const char* const> option_names(PlainTokenizer) {
  static constexpr const char* names[] = {WordTokenizerOptions::type, CharTokenizerOptions::type,
                                          WhitespaceTokenizerOptions::type};
  return names;
}

TokenizerOptions tokenizer_of(PlainTokenizer kind) {
  if (kind == PlainTokenizer::word) return WordTokenizerOptions{};
  if (kind == PlainTokenizer::character) return CharTokenizerOptions{};
  return WhitespaceTokenizerOptions{};
}

std::unique_ptr<Tokenizer> make_tokenizer(const TokenizerOptions& options,
                                          const NormalizationOptions& normalization,
                                          const std::string& state) {
  if (std::holds_alternative<WordTokenizerOptions>(options)) return make_word_tokenizer(normalization);
  if (std::holds_alternative<CharTokenizerOptions>(options)) return make_char_tokenizer(normalization);
  if (std::holds_alternative<WhitespaceTokenizerOptions>(options))
    return make_whitespace_tokenizer(normalization);
  const auto& path = std::get<SentencePieceTokenizerOptions>(options).model;
  if (!state.empty()) return make_sentencepiece_tokenizer(state, "stored SentencePiece model", normalization);
  if (path.empty())
    throw Error("sentencepiece tokenizer", "no model is given",
                "make one with 'seq2seq vocab --type sentencepiece'");
  return make_sentencepiece_tokenizer(read_file(path), path, normalization);
}

}  // namespace seq2seq
