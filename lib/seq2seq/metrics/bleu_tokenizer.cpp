#include "seq2seq/metrics/bleu_tokenizer.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/nearest_name.h"
#include "seq2seq/data/fingerprint.h"
#include "seq2seq/metrics/bleu_words.h"
#include "seq2seq/metrics/python_text.h"
#include "seq2seq/text/sentencepiece_model.h"
#include "seq2seq/text/utf8.h"

namespace seq2seq {
namespace {

constexpr std::array<const char*, 5> rule_names = {"13a", "intl", "zh", "char", "none"};  // in Rule's order
constexpr const char* pieces_prefix = "spm:";

bool is_digit(char32_t c) {
  return c >= U'0' && c <= U'9';
}
bool is_stop(char32_t c) {
  return c == U'.' || c == U',';
}

/// ASCII punctuation other than the apostrophe, comma, hyphen and full stop; and the space.
bool stands_alone(char32_t c) {
  return (c >= U' ' && c <= U'&') || (c >= U'(' && c <= U'+') || c == U'/' || (c >= U':' && c <= U'@') ||
         (c >= U'[' && c <= U'`') || (c >= U'{' && c <= U'~');
}

void replace_all(std::u32string& text, std::u32string_view from, std::u32string_view to) {
  for (size_t at = text.find(from); at != std::u32string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

enum class Detach { first, second };

/// Scans pairs of adjacent characters from the left, like a regular expression: a pair that matches is
/// written with spaces around the character to detach, and the scan continues after the pair.
template <class First, class Second>
std::u32string detach_pairs(std::u32string_view text, Detach detach, First first, Second second) {
  std::u32string result;
  result.reserve(text.size() + text.size() / 4);
  size_t at = 0;
  while (at + 1 < text.size()) {
    if (!first(text[at]) || !second(text[at + 1])) {
      result.push_back(text[at++]);
      continue;
    }
    if (detach == Detach::first) result.push_back(U' ');
    result.push_back(text[at]);
    result.push_back(U' ');
    result.push_back(text[at + 1]);
    if (detach == Detach::second) result.push_back(U' ');
    at += 2;
  }
  if (at < text.size()) result.push_back(text[at]);
  return result;
}

template <class Matches>
std::u32string detach_characters(std::u32string_view text, Matches matches) {
  std::u32string result;
  result.reserve(text.size() + text.size() / 4);
  for (const char32_t c : text) {
    if (matches(c)) {
      result.push_back(U' ');
      result.push_back(c);
      result.push_back(U' ');
    } else {
      result.push_back(c);
    }
  }
  return result;
}

/// What 13a and zh do alike.
std::u32string separate_ascii(std::u32string_view text) {
  const auto no_digit = [](char32_t c) { return !is_digit(c); };
  std::u32string result = detach_characters(text, stands_alone);
  result = detach_pairs(result, Detach::second, no_digit, is_stop);
  result = detach_pairs(result, Detach::first, is_stop, no_digit);
  return detach_pairs(result, Detach::second, is_digit, [](char32_t c) { return c == U'-'; });
}

std::u32string tokenize_13a(std::u32string text) {
  replace_all(text, U"<skipped>", U"");
  replace_all(text, U"-\n", U"");
  std::replace(text.begin(), text.end(), U'\n', U' ');
  if (text.find(U'&') != std::u32string::npos) {
    // &amp; before &lt;: "&amp;lt;" becomes "<" in the original as well.
    replace_all(text, U"&quot;", U"\"");
    replace_all(text, U"&amp;", U"&");
    replace_all(text, U"&lt;", U"<");
    replace_all(text, U"&gt;", U">");
  }
  return separate_ascii(U" " + text + U" ");
}

struct CharacterRange {
  char32_t first, last;
};

/// As sacrebleu's zh compares them: its range for extension B of Han, "\u20000" to "\u2a6d6", is one of two
/// characters each there and holds U+2001 to U+2A6D.
constexpr CharacterRange chinese_ranges[] = {
    {0x2001, 0x2A6D},  // with punctuation, symbols and dingbats
    {0x2E80, 0x2EFF},  // radicals
    {0x2F00, 0x2FDF},  // Kangxi radicals
    {0x2FF0, 0x303F},  // description characters, punctuation
    {0x3100, 0x312F},  // phonetic symbols
    {0x31A0, 0x31BF},  // phonetic symbols
    {0x31C0, 0x31EF},  // strokes
    {0x3200, 0x33FF},  // enclosed and squared characters
    {0x3400, 0x4DB5},  // Han
    {0x4E00, 0x9FBB},  // Han
    {0xF900, 0xFA2D},  // Han
    {0xFA30, 0xFA6A},  // Han
    {0xFA70, 0xFAD9},  // Han
    {0xFE10, 0xFE1F},  // vertical punctuation
    {0xFE30, 0xFE4F},  // vertical punctuation
    {0xFF00, 0xFFEF},  // full-width and half-width forms
};

std::u32string tokenize_chinese(std::u32string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  return separate_ascii(detach_characters(text, [](char32_t c) {
    return std::any_of(std::begin(chinese_ranges), std::end(chinese_ranges),
                       [c](const CharacterRange& range) { return c >= range.first && c <= range.last; });
  }));
}

std::u32string join_words(const std::vector<std::string>& words) {
  std::string joined;
  for (const std::string& word : words) (joined += word) += ' ';
  return decode_text(joined);
}

std::u32string tokenize_international(std::u32string_view text) {
  const auto no_number = [](char32_t c) { return !is_number(c); };
  std::u32string result = detach_pairs(text, Detach::second, no_number, is_punctuation);
  result = detach_pairs(result, Detach::first, is_punctuation, no_number);
  return detach_characters(result, is_symbol);
}

}  // namespace

BleuTokenizer BleuTokenizer::named(const std::string& name) {
  for (size_t i = 0; i < rule_names.size(); ++i)
    if (name == rule_names[i]) return static_cast<Rule>(i);
  const size_t prefix = std::string_view(pieces_prefix).size();
  if (!name.starts_with(pieces_prefix) || name.size() == prefix)
    throw Error("'" + name + "'", "is no tokenizer of BLEU", suggest_name(name, names()));
  const std::string path = name.substr(prefix);
  BleuTokenizer result;
  result.pieces_ = std::make_shared<const SentencePieceModel>(read_file(path), path);
  const FileFingerprint file = fingerprint_of(path);
  char sum[16];
  std::snprintf(sum, sizeof sum, "%08x", file.crc32);
  result.pieces_signature_ = pieces_prefix + file.name + ":" + sum;
  return result;
}

std::vector<std::string> BleuTokenizer::names() {
  std::vector<std::string> all(rule_names.begin(), rule_names.end());
  all.push_back(std::string(pieces_prefix) + "FILE");
  return all;
}

std::string BleuTokenizer::signature() const {
  return pieces_ ? pieces_signature_ : rule_names[rule_];
}

std::u32string separate_words(std::u32string text, const BleuTokenizer& tokenizer) {
  while (!text.empty() && is_space(text.back())) text.pop_back();
  if (tokenizer.pieces()) return join_words(tokenizer.pieces()->pieces(utf8_encode(text)));
  switch (tokenizer.rule()) {
    case BleuTokenizer::v13a:
      return tokenize_13a(std::move(text));
    case BleuTokenizer::international:
      return tokenize_international(text);
    case BleuTokenizer::chinese:
      return tokenize_chinese(text);
    case BleuTokenizer::character:
      return detach_characters(text, [](char32_t) { return true; });
    case BleuTokenizer::none:
      break;
  }
  return text;
}

std::string tokenize_for_bleu(std::string_view text, const BleuTokenizer& tokenizer) {
  const std::u32string separated = separate_words(decode_text(text), tokenizer);
  std::u32string joined;
  for (const auto word : split_words(separated)) {
    if (!joined.empty()) joined.push_back(U' ');
    joined.append(word);
  }
  return utf8_encode(joined);
}

}  // namespace seq2seq
