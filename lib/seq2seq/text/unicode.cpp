#include "seq2seq/text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <iterator>

#include "seq2seq/text/utf8.h"

namespace seq2seq {
namespace {

struct Range {
  char32_t first, last;
};

constexpr Range han_kana_thai_ranges[] = {
    {0x0E00, 0x0E7F},    // Thai
    {0x3005, 0x3007},    // ideographic iteration mark, closing mark, zero
    {0x3041, 0x30FF},    // kana
    {0x31F0, 0x31FF},    // small kana
    {0x3400, 0x4DBF},    // Han
    {0x4E00, 0x9FFF},    // Han
    {0xF900, 0xFAFF},    // Han
    {0xFF66, 0xFF9F},    // half-width kana
    {0x20000, 0x3FFFF},  // Han
};
constexpr Range further_spaceless_ranges[] = {
    {0x0E80, 0x0EFF},  // Lao
    {0x1000, 0x109F},  // Burmese
    {0x1780, 0x17FF},  // Khmer
};

template <size_t count>
bool is_within(const Range (&ranges)[count], char32_t point) {
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [&](const Range& range) { return point >= range.first && point <= range.last; });
}

bool is_spaceless(char32_t point) {
  return is_han_kana_or_thai(point) ||
         (point >= further_spaceless_ranges[0].first && is_within(further_spaceless_ranges, point));
}

utf8proc_category_t category(char32_t point) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(point));
}

}  // namespace

bool is_han_kana_or_thai(char32_t point) {
  return point >= han_kana_thai_ranges[0].first && is_within(han_kana_thai_ranges, point);
}

CharacterKind character_kind(char32_t point) {
  if (point == U' ') return CharacterKind::space;
  const auto c = category(point);
  if (c == UTF8PROC_CATEGORY_ND) return CharacterKind::digit;
  const bool letter = (c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_LO) ||
                      (c >= UTF8PROC_CATEGORY_MN && c <= UTF8PROC_CATEGORY_ME) || c == UTF8PROC_CATEGORY_NL ||
                      c == UTF8PROC_CATEGORY_NO;
  if (!letter) return CharacterKind::symbol;
  return is_spaceless(point) ? CharacterKind::spaceless : CharacterKind::letter;
}

std::vector<Grapheme> graphemes(std::string_view text) {
  std::vector<Grapheme> result;
  const std::vector<std::string_view> characters = utf8_characters(text);
  const std::u32string points = utf8_decode(text);
  utf8proc_int32_t state = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    bool starts = true;
    if (i > 0 && points[i - 1] != U' ' && points[i] != U' ') {
      starts = utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(points[i - 1]),
                                                static_cast<utf8proc_int32_t>(points[i]), &state);
    } else {
      state = 0;
    }
    if (starts) {
      result.push_back({characters[i], character_kind(points[i])});
    } else {
      std::string_view& cluster = result.back().text;
      cluster = {cluster.data(), cluster.size() + characters[i].size()};
    }
  }
  return result;
}

bool is_cased(char32_t point) {
  const auto c = category(point);
  return c == UTF8PROC_CATEGORY_LU || c == UTF8PROC_CATEGORY_LL || c == UTF8PROC_CATEGORY_LT;
}

bool is_case_ignorable(char32_t point) {
  switch (category(point)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return std::u32string_view(U"'.:·‘’․‧︓﹒﹕＇．：").find(point) != std::u32string_view::npos;
  }
}

}  // namespace seq2seq
