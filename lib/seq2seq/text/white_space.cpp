#include "seq2seq/text/white_space.h"

#include <algorithm>
#include <array>

namespace seq2seq {
namespace {

/// What stands at a place of a text; 0 bytes = a character that is visible.
struct Blank {
  size_t bytes = 0;
  bool wide = false;  ///< white space, not a character without width
};

constexpr std::array<std::string_view, 19> multibyte = {
    "\u0085", "\u00A0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006",
    "\u2007", "\u2008", "\u2009", "\u200A", "\u2028", "\u2029", "\u202F", "\u205F", "\u3000"};
constexpr std::array<std::string_view, 3> widthless = {"\u200B", "\u2060", "\uFEFF"};

Blank blank_at(std::string_view text, size_t at) {
  const char first = text[at];
  if (first == ' ' || (first >= '\t' && first <= '\r')) return {1, true};
  if (first != '\xC2' && first != '\xE1' && first != '\xE2' && first != '\xE3' && first != '\xEF') return {};
  const std::string_view rest = text.substr(at, 3);
  for (const std::string_view blank : multibyte)
    if (rest.starts_with(blank)) return {blank.size(), true};
  for (const std::string_view blank : widthless)
    if (rest.starts_with(blank)) return {blank.size(), false};
  return {};
}

}  // namespace

std::span<const std::string_view> multibyte_spaces() {
  return multibyte;
}

std::span<const std::string_view> widthless_characters() {
  return widthless;
}

bool has_plain_spaces(std::string_view text) {
  bool after_space = true;  // or at the beginning
  for (size_t at = 0; at < text.size(); ++at) {
    const Blank blank = blank_at(text, at);
    if (blank.bytes > 0 && (text[at] != ' ' || after_space))
      return blank.wide ? false : with_plain_spaces(text) == text;
    after_space = blank.bytes > 0;
  }
  return text.empty() || !after_space;
}

std::string with_plain_spaces(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    bool wide = begin == 0;
    for (Blank blank; at < text.size() && (blank = blank_at(text, at)).bytes > 0; at += blank.bytes)
      wide |= blank.wide;
    wide |= at == text.size();
    if (!wide) result += text.substr(begin, at - begin);
    if (wide && !result.empty() && at < text.size()) result += ' ';
    if (at < text.size()) result += text[at++];
  }
  return result;
}

}  // namespace seq2seq
