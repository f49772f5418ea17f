#include <utility>

#include "seq2seq/text/token_escape.h"
#include "seq2seq/text/tokenizers.h"
#include "seq2seq/text/unicode.h"
#include "seq2seq/text/white_space.h"

namespace seq2seq {
namespace {

bool in_word(CharacterKind kind) {
  return kind == CharacterKind::letter || kind == CharacterKind::digit;
}

// Whether the character at `at`, which follows a word character, continues the word: an apostrophe or hyphen
// before another word character, a point or comma between digits.
bool is_inner(const std::vector<Grapheme>& characters, size_t at) {
  if (at + 1 >= characters.size() || !in_word(characters[at + 1].kind)) return false;
  const std::string_view c = characters[at].text;
  if (c == "'" || c == "\u2019" || c == "-" || c == "\u2010" || c == "\u2011") return true;
  return (c == "." || c == ",") && characters[at - 1].kind == CharacterKind::digit &&
         characters[at + 1].kind == CharacterKind::digit;
}

enum class SpanKind { space, word, symbol };

struct Span {
  std::string_view text;
  SpanKind kind;
};

std::vector<Span> split(std::string_view line) {
  const std::vector<Grapheme> characters = graphemes(line);
  std::vector<Span> spans;
  for (size_t at = 0; at < characters.size();) {
    const size_t first = at++;
    const CharacterKind kind = characters[first].kind;
    SpanKind span = SpanKind::word;
    if (kind == CharacterKind::space) {
      span = SpanKind::space;
    } else if (in_word(kind)) {
      while (at < characters.size() && (in_word(characters[at].kind) || is_inner(characters, at))) ++at;
    } else if (kind == CharacterKind::symbol) {
      span = SpanKind::symbol;
    }
    const char* begin = characters[first].text.data();
    const std::string_view last = characters[at - 1].text;
    spans.push_back({{begin, static_cast<size_t>(last.data() + last.size() - begin)}, span});
  }
  return spans;
}

/// Spans of letters, marks and numbers are words (in scripts written without spaces, single characters); any
/// other character is a symbol. Where two tokens meet without a space between them, the symbol carries U+FFED
/// on that side; of two words or two symbols, the second does.
class WordTokenizer : public Tokenizer {
 public:
  explicit WordTokenizer(const NormalizationOptions& normalization) : normalization_(normalization) {}

  std::vector<Token> tokenize(std::string_view given) const override {
    const std::string line = with_plain_spaces(given);
    const std::vector<Span> spans = split(line);
    const auto is_symbol = [&](size_t i) { return spans[i].kind == SpanKind::symbol; };
    const auto touch = [&](size_t left, size_t right) {  // right = left + 1
      return right < spans.size() && spans[left].kind != SpanKind::space &&
             spans[right].kind != SpanKind::space;
    };
    std::vector<Token> tokens;
    for (size_t i = 0; i < spans.size(); ++i) {
      if (spans[i].kind == SpanKind::space) continue;
      const bool left = i > 0 && touch(i - 1, i) && (is_symbol(i) || !is_symbol(i - 1));
      const bool right = touch(i, i + 1) && is_symbol(i) && !is_symbol(i + 1);
      const auto mark = [&](std::string_view text) {
        std::string token(left ? joiner_mark : "");
        token += escape_token(text);
        return token += right ? joiner_mark : "";
      };
      tokens.push_back({mark(normalize(spans[i].text, normalization_)), mark(spans[i].text)});
    }
    return tokens;
  }

  std::string detokenize(std::span<const std::string> tokens) const override {
    std::string line;
    bool joined = true;
    for (const std::string& token : tokens) {
      if (token.empty()) continue;
      const Spelling written = spelling(token);
      if (!joined && !written.joins_left) line += ' ';
      line += written.text;
      joined = written.joins_right;
    }
    return line;
  }

  Spelling spelling(const std::string& token) const override {
    if (token == space_mark) return {" ", true, true};
    std::string_view content = token;
    const bool left = content.starts_with(joiner_mark);
    if (left) content.remove_prefix(joiner_mark.size());
    const bool right = content.ends_with(joiner_mark);
    if (right) content.remove_suffix(joiner_mark.size());
    return {unescape_token(content), left, right || content.empty()};
  }

 private:
  NormalizationOptions normalization_;
};

}  // namespace

std::unique_ptr<Tokenizer> make_word_tokenizer(const NormalizationOptions& normalization) {
  return std::make_unique<WordTokenizer>(normalization);
}

}  // namespace seq2seq
