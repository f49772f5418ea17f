#include "seq2seq/metrics/bleu_tokenizer.h"

#include <algorithm>

#include "seq2seq/metrics/bleu_words.h"
#include "seq2seq/metrics/python_text.h"
#include "seq2seq/text/utf8.h"

namespace seq2seq {
namespace {

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
  const auto no_digit = [](char32_t c) { return !is_digit(c); };
  text = detach_characters(U" " + text + U" ", stands_alone);
  text = detach_pairs(text, Detach::second, no_digit, is_stop);
  text = detach_pairs(text, Detach::first, is_stop, no_digit);
  return detach_pairs(text, Detach::second, is_digit, [](char32_t c) { return c == U'-'; });
}

std::u32string tokenize_international(std::u32string_view text) {
  const auto no_number = [](char32_t c) { return !is_number(c); };
  std::u32string result = detach_pairs(text, Detach::second, no_number, is_punctuation);
  result = detach_pairs(result, Detach::first, is_punctuation, no_number);
  return detach_characters(result, is_symbol);
}

}  // namespace

std::span<const char* const> option_names(BleuTokenizer) {
  static constexpr const char* names[] = {"none", "13a", "char", "intl"};
  return names;
}

std::u32string separate_words(std::u32string text, BleuTokenizer tokenizer) {
  while (!text.empty() && is_space(text.back())) text.pop_back();
  switch (tokenizer) {
    case BleuTokenizer::v13a:
      return tokenize_13a(std::move(text));
    case BleuTokenizer::character:
      return detach_characters(text, [](char32_t) { return true; });
    case BleuTokenizer::international:
      return tokenize_international(text);
    case BleuTokenizer::none:
      break;
  }
  return text;
}

std::string tokenize_for_bleu(std::string_view text, BleuTokenizer tokenizer) {
  const std::u32string separated = separate_words(decode_text(text), tokenizer);
  std::u32string joined;
  for (const auto word : split_words(separated)) {
    if (!joined.empty()) joined.push_back(U' ');
    joined.append(word);
  }
  return utf8_encode(joined);
}

}  // namespace seq2seq
