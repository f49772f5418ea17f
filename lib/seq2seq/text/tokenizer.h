#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "seq2seq/core/options.h"
#include "seq2seq/text/normalization.h"

namespace seq2seq {

/// Words and punctuation marks. A run of letters, combining marks and numbers is a word (Han, kana, Thai,
/// Lao, Khmer and Burmese characters: one word each); an apostrophe or a hyphen between two of them, and a
/// point or a comma between two digits, belong to it. Every other character (extended grapheme cluster) is a
/// token of its own. U+FFED beside a token says "no space here"; a space beyond the single one between two
/// tokens is a token U+2581. U+2581, U+FFED, U+FF05 and control characters of the text are written as U+FF05
/// and four hexadecimal digits, so that detokenization is exact for every line.
struct WordTokenizerOptions {
  static constexpr const char* type = "word";
  static void fields(auto&, auto&) {}
};

/// One token a code point; U+2581 stands for the space. Escapes as for words; detokenization is exact.
struct CharTokenizerOptions {
  static constexpr const char* type = "char";
  static void fields(auto&, auto&) {}
};

/// What stands between white space (ASCII), as it is: for text that another program has cut into tokens.
/// Detokenization puts one space between two tokens.
struct WhitespaceTokenizerOptions {
  static constexpr const char* type = "whitespace";
  static void fields(auto&, auto&) {}
};

/// Subwords (Kudo and Richardson 2018). Models trained here drop spaces at both ends and make one space of
/// several, of a tab and of U+2581; apart from that detokenization is exact. Any SentencePiece model file can
/// be used; its vocabulary is then `sentencepiece_tokens` behind our own special tokens.
struct SentencePieceTokenizerOptions {
  static constexpr const char* type = "sentencepiece";
  std::string model;
  double character_coverage = 1.0;
  static void fields(auto& o, auto& f) {
    f("model", o.model, "SentencePiece model file; trained from the training text when empty", file_path);
    f("character-coverage", o.character_coverage, "share of characters the trained model must cover",
      in_range(0.98, 1.0));
  }
};

using TokenizerOptions = std::variant<WordTokenizerOptions, CharTokenizerOptions, WhitespaceTokenizerOptions,
                                      SentencePieceTokenizerOptions>;

/// The kinds without a model file, by name.
enum class PlainTokenizer { word, character, whitespace };
std::span<const char* const> option_names(PlainTokenizer);
TokenizerOptions tokenizer_of(PlainTokenizer kind);

/// One token: what the model sees, and how it stood in the user's text (before normalization), which is what
/// copying and unknown-word replacement write, with the tokenizer's marks: detokenizing all surfaces of a
/// line gives the line. A surface is empty when normalization made several tokens of one character and this
/// is not the first.
struct Token {
  std::string text;
  std::string surface;
  bool operator==(const Token&) const = default;
};

/// Splits one line of valid UTF-8 into tokens and joins tokens into a line. Thread-safe once made.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  virtual std::vector<Token> tokenize(std::string_view line) const = 0;
  virtual std::string detokenize(std::span<const std::string> tokens) const = 0;
  /// What an archive stores to make the tokenizer again: the SentencePiece model's bytes, else empty.
  virtual std::string state() const { return {}; }
};

/// `state` is what `Tokenizer::state` gave, or empty: then a sentencepiece tokenizer reads `options.model`.
std::unique_ptr<Tokenizer> make_tokenizer(const TokenizerOptions& options,
                                          const NormalizationOptions& normalization,
                                          const std::string& state = {});

/// Trains a unigram SentencePiece model on `lines` (called until it returns false); returns the model's
/// bytes. Ids agree with those of Vocabulary(sentencepiece_tokens(model)). Trains on space-separated words
/// and their counts, so that memory does not grow with the text; of more than a million running words (or 125
/// a token, if that is more) a sample drawn by `seed` is used. Throws Error with the remedy when `size` is
/// too large or small for the text; size 0 means 8,000, or as many as a small text gives.
inline constexpr int64_t default_sentencepiece_size = 8000;
std::string train_sentencepiece(const std::function<bool(std::string&)>& next_line, int64_t size,
                                const SentencePieceTokenizerOptions& options,
                                const NormalizationOptions& normalization, uint64_t seed);

/// The pieces of a SentencePiece model in the order of their ids, without control, unused and unknown symbols
/// and without pieces spelled like our special tokens. Throws Error, naming `origin`, when `state` is no
/// model.
std::vector<std::string> sentencepiece_tokens(const std::string& state,
                                              const std::string& origin = "stored SentencePiece model");

}  // namespace seq2seq
