#include "seq2seq/text/utf8.h"

#include <cstdint>
#include <cstring>

namespace seq2seq {
namespace {

// Length in bytes of the valid character at the beginning of `text`, else 0 (Unicode 15, table 3-7).
size_t valid_length(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto follows = [&](size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
  const unsigned lead = byte(0), second = byte(1);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return follows(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (lead == 0xE0 && second < 0xA0) return 0;  // overlong
    if (lead == 0xED && second > 0x9F) return 0;  // surrogate
    return follows(1) && follows(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (lead == 0xF0 && second < 0x90) return 0;  // overlong
    if (lead == 0xF4 && second > 0x8F) return 0;  // beyond U+10FFFF
    return follows(1) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

size_t length_by_lead(unsigned char lead) {
  return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

}  // namespace

std::optional<size_t> find_invalid_utf8(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    uint64_t block;
    if (at + sizeof block <= text.size()) {
      std::memcpy(&block, text.data() + at, sizeof block);
      if ((block & 0x8080808080808080u) == 0) {
        at += sizeof block;
        continue;
      }
    }
    const size_t length = valid_length(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return std::nullopt;
}

std::vector<std::string_view> utf8_characters(std::string_view text) {
  std::vector<std::string_view> characters;
  characters.reserve(text.size());
  for (size_t at = 0; at < text.size(); at += characters.back().size())
    characters.push_back(text.substr(at, length_by_lead(static_cast<unsigned char>(text[at]))));
  return characters;
}

std::u32string utf8_decode(std::string_view text) {
  std::u32string points;
  points.reserve(text.size());
  for (const std::string_view character : utf8_characters(text)) {
    const auto lead = static_cast<unsigned char>(character[0]);
    char32_t point = character.size() == 1 ? lead : lead & (0x7Fu >> character.size());
    for (size_t i = 1; i < character.size(); ++i)
      point = point << 6 | (static_cast<unsigned char>(character[i]) & 0x3Fu);
    points.push_back(point);
  }
  return points;
}

std::string utf8_encode(std::u32string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  const auto put = [&](char32_t byte) { bytes.push_back(static_cast<char>(byte)); };
  const auto put_rest = [&](char32_t point, int shift) {
    for (; shift >= 0; shift -= 6) put(0x80 | (point >> shift & 0x3F));
  };
  for (const char32_t point : text) {
    if (point < 0x80) {
      put(point);
    } else if (point < 0x800) {
      put(0xC0 | point >> 6), put_rest(point, 0);
    } else if (point < 0x10000) {
      put(0xE0 | point >> 12), put_rest(point, 6);
    } else {
      put(0xF0 | point >> 18), put_rest(point, 12);
    }
  }
  return bytes;
}

}  // namespace seq2seq
