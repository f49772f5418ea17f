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

/// Words and punctuation marks. A run of letters, combining marks and numbers is a word (each Han, kana,
/// Thai, Lao, Khmer or Burmese character is one); an apostrophe or hyphen between two of them and a point or
/// comma between two digits belong to it. Every other character (extended grapheme cluster) is a token.
/// U+FFED beside a token means "no space here". U+2581, U+FFED, U+FF05 and control characters of the text are
/// written as U+FF05 and four hexadecimal digits, so that detokenization is exact.
struct WordTokenizerOptions {
  static constexpr const char* type = "word";
  static void fields(auto&, auto&) {}
};

/// One token per code point; the space is U+2581. Escapes as for words. White space is kept as it is;
/// detokenization is exact.
struct CharTokenizerOptions {
  static constexpr const char* type = "char";
  static void fields(auto&, auto&) {}
};

/// Splits at white space only: for text that another program has tokenized. Detokenization puts one space
/// between two tokens.
struct WhitespaceTokenizerOptions {
  static constexpr const char* type = "whitespace";
  static void fields(auto&, auto&) {}
};

/// Subwords of SentencePiece (Kudo and Richardson 2018). Models trained here read U+2581 as a space; otherwise
/// detokenization is exact. Any SentencePiece model file can be used; the vocabulary is then our special
/// tokens followed by `sentencepiece_tokens`.
struct SentencePieceTokenizerOptions {
  static constexpr const char* type = "sentencepiece";
  std::string model;
  double character_coverage = 1.0;
  static void fields(auto& o, auto& f) {
    f("model", o.model, "SentencePiece model file; trained from the training text when empty", file_path);
    f("character-coverage", o.character_coverage, "share of characters the trained model must cover",
      in_range(0.98, 1.0), noted_unless(o.model.empty(), "with a model that was made before"));
  }
};

using TokenizerOptions = std::variant<WordTokenizerOptions, CharTokenizerOptions, WhitespaceTokenizerOptions,
                                      SentencePieceTokenizerOptions>;

/// The tokenizers without a model file, by name.
enum class PlainTokenizer { word, character, whitespace };
std::span<const char* const> option_names(PlainTokenizer);
TokenizerOptions tokenizer_of(PlainTokenizer kind);

/// One token: `text` as the model sees it, and its surface form, the user's text before normalization with
/// the tokenizer's markers, which copying and unknown-word replacement write. Detokenizing all surface forms
/// of a line returns the line, its white space as with_plain_spaces (white_space.h) makes it unless the
/// tokenizer keeps it. A surface form is empty if normalization made several tokens of one character and this
/// is not the first.
struct Token {
  std::string text;
  std::string surface;
  bool operator==(const Token&) const = default;
};

/// What a token writes: its text, and whether it stands beside its neighbours without a space between them.
/// A space is written between two tokens that neither of them joins; a line neither begins nor ends with it.
struct Spelling {
  std::string text;
  bool joins_left = false, joins_right = false;
};

/// Splits one line of valid UTF-8 into tokens, the same ones each time, and joins tokens into a line.
/// Thread-safe.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  virtual std::vector<Token> tokenize(std::string_view line) const = 0;
  virtual std::string detokenize(std::span<const std::string> tokens) const = 0;
  /// Whether white space is text like other characters; otherwise `tokenize` begins with with_plain_spaces.
  virtual bool keeps_white_space() const { return false; }
  /// What an archive stores to recreate the tokenizer: the bytes of the SentencePiece model, else empty.
  virtual std::string state() const { return {}; }
  /// How `detokenize` writes this token, but for what it removes at the ends of a line.
  virtual Spelling spelling(const std::string& token) const = 0;
};

/// `state` as returned by `Tokenizer::state`; if empty, a sentencepiece tokenizer reads `options.model`.
std::unique_ptr<Tokenizer> make_tokenizer(const TokenizerOptions& options,
                                          const NormalizationOptions& normalization,
                                          const std::string& state = {});

inline constexpr int64_t default_sentencepiece_size = 8000;
/// Trains a unigram SentencePiece model on the lines of `next_line` (called until it returns false); returns
/// the model's bytes. Its ids are those of Vocabulary(sentencepiece_tokens(model)). Words, separated by white
/// space, are counted in bounded memory; if they occur more than a million times (or 125 times per token, if
/// that is more), a sample drawn with `seed` is used. `size` is a bound: a small text gives fewer, which is told
/// unless `size` is 0, which means 8,000. Throws Error with a remedy when `size` is too small for the text, or
/// the text has no word.
std::string train_sentencepiece(const std::function<bool(std::string&)>& next_line, int64_t size,
                                const SentencePieceTokenizerOptions& options,
                                const NormalizationOptions& normalization, uint64_t seed);

/// The pieces of a SentencePiece model by id, without control, unused and unknown symbols and without pieces
/// spelled like our special tokens. Throws Error, naming `origin`, when `state` is not a model.
std::vector<std::string> sentencepiece_tokens(const std::string& state,
                                              const std::string& origin = "stored SentencePiece model");

}  // namespace seq2seq
