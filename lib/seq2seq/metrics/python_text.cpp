#include "seq2seq/metrics/python_text.h"

#include <utf8proc.h>

#include <array>

#include "seq2seq/text/normalization.h"
#include "seq2seq/text/utf8.h"

namespace seq2seq {
namespace {

utf8proc_category_t category(char32_t character) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(character));
}

}  // namespace

std::u32string decode_text(std::string_view text) {
  std::u32string result;
  while (const auto invalid = find_invalid_utf8(text)) {
    result += utf8_decode(text.substr(0, *invalid));
    result.push_back(U'\uFFFD');
    text.remove_prefix(*invalid + 1);
  }
  return result + utf8_decode(text);
}

std::u32string lowercase_text(std::u32string_view text) {
  return utf8_decode(normalize(utf8_encode(text), {.nfkc = false, .lowercase = true}));
}

std::u32string casefold_text(std::u32string_view text) {
  std::u32string result;
  result.reserve(text.size());
  for (const char32_t character : text) {
    std::array<utf8proc_int32_t, 8> folded{};  // a full case folding has at most three characters
    int ignored = 0;
    const auto length =
        utf8proc_decompose_char(static_cast<utf8proc_int32_t>(character), folded.data(),
                                static_cast<utf8proc_ssize_t>(folded.size()), UTF8PROC_CASEFOLD, &ignored);
    for (utf8proc_ssize_t i = 0; i < length; ++i)
      result.push_back(static_cast<char32_t>(folded[static_cast<size_t>(i)]));
  }
  return result;
}

bool is_space(char32_t c) {
  if (c <= 0x20) return c == 0x20 || (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F);
  if (c < 0x85) return false;
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

std::vector<std::u32string_view> split_words(std::u32string_view text) {
  std::vector<std::u32string_view> words;
  for (size_t at = 0; at < text.size();) {
    if (is_space(text[at])) {
      ++at;
      continue;
    }
    const size_t begin = at;
    while (at < text.size() && !is_space(text[at])) ++at;
    words.push_back(text.substr(begin, at - begin));
  }
  return words;
}

bool is_letter(char32_t character) {
  const auto kind = category(character);
  return kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_LO;
}

bool is_uppercase(char32_t character) {
  const auto kind = category(character);
  return kind == UTF8PROC_CATEGORY_LU || kind == UTF8PROC_CATEGORY_LT;
}

bool is_mark(char32_t character) {
  const auto kind = category(character);
  return kind >= UTF8PROC_CATEGORY_MN && kind <= UTF8PROC_CATEGORY_ME;
}

bool is_decimal_digit(char32_t character) {
  return category(character) == UTF8PROC_CATEGORY_ND;
}

bool is_number(char32_t character) {
  const auto kind = category(character);
  return kind >= UTF8PROC_CATEGORY_ND && kind <= UTF8PROC_CATEGORY_NO;
}

bool is_punctuation(char32_t character) {
  const auto kind = category(character);
  return kind >= UTF8PROC_CATEGORY_PC && kind <= UTF8PROC_CATEGORY_PO;
}

bool is_symbol(char32_t character) {
  const auto kind = category(character);
  return kind >= UTF8PROC_CATEGORY_SM && kind <= UTF8PROC_CATEGORY_SO;
}

}  // namespace seq2seq
