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

/// Bytes at the beginning that are certainly plain: up to the run of blanks that may not be.
size_t plain_prefix(std::string_view text) {
  size_t last_space = std::string_view::npos;
  for (size_t at = 0; at < text.size(); ++at) {
    if (blank_at(text, at).bytes == 0) continue;
    if (at == 0) return 0;
    const bool follows_space = last_space + 1 == at;
    if (text[at] != ' ' || follows_space || at + 1 == text.size()) return follows_space ? last_space : at;
    last_space = at;
  }
  return text.size();
}

}  // namespace

std::span<const std::string_view> multibyte_spaces() {
  return multibyte;
}

std::span<const std::string_view> widthless_characters() {
  return widthless;
}

bool has_plain_spaces(std::string_view text) {
  return plain_prefix(text) == text.size() || with_plain_spaces(text) == text;
}

std::string with_plain_spaces(std::string_view text) {
  size_t at = plain_prefix(text);
  std::string result(text.substr(0, at));
  result.reserve(text.size());
  while (at < text.size()) {
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
