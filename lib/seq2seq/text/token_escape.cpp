#include "seq2seq/text/token_escape.h"

#include <algorithm>
#include <charconv>

#include "seq2seq/text/utf8.h"

namespace seq2seq {
namespace {

constexpr std::string_view escape_mark = "\uFF05";
constexpr std::string_view digits = "0123456789ABCDEF";

bool needs_escape(std::string_view character) {
  if (character.size() == 1) return static_cast<unsigned char>(character[0]) < 0x20 || character[0] == '\x7F';
  if (character.size() == 2) return character[0] == '\xC2' && static_cast<unsigned char>(character[1]) < 0xA0;
  return character == space_mark || character == joiner_mark || character == escape_mark;
}

}  // namespace

std::string escape_token(std::string_view text) {
  std::string result;
  for (const std::string_view character : utf8_characters(text)) {
    if (character == " ") {
      result += space_mark;
    } else if (needs_escape(character)) {
      result += escape_mark;
      const char32_t point = utf8_decode(character)[0];
      for (int shift = 12; shift >= 0; shift -= 4) result += digits[point >> shift & 15];
    } else {
      result += character;
    }
  }
  return result;
}

std::string unescape_token(std::string_view token) {
  std::string result;
  for (size_t at = 0; at < token.size();) {
    const std::string_view rest = token.substr(at);
    if (rest.starts_with(space_mark)) {
      result += ' ';
      at += space_mark.size();
      continue;
    }
    if (rest.starts_with(escape_mark) && rest.size() >= escape_mark.size() + 4) {
      const std::string_view code = rest.substr(escape_mark.size(), 4);
      if (code.find_first_not_of(digits) == std::string_view::npos) {
        uint32_t point = 0;
        std::from_chars(code.data(), code.data() + code.size(), point, 16);
        const std::string character = utf8_encode(std::u32string(1, static_cast<char32_t>(point)));
        if (needs_escape(character)) {
          result += character;
          at += escape_mark.size() + 4;
          continue;
        }
      }
    }
    result += token[at++];
  }
  return result;
}

}  // namespace seq2seq
