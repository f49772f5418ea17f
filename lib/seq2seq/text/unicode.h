#pragma once

// Private to the library: what tokenizers and metrics need of the Unicode character database (utf8proc).

#include <string_view>
#include <vector>

namespace seq2seq {

enum class CharacterKind {
  space,      ///< U+0020 alone
  letter,     ///< letters, combining marks, numbers other than decimal digits
  digit,      ///< decimal digits of any script
  spaceless,  ///< letters of scripts written without spaces: Han, kana, Thai, Lao, Khmer, Burmese
  symbol      ///< everything else: punctuation, symbols, controls, other white space
};

CharacterKind character_kind(char32_t point);

/// Whether it is in the blocks of the scripts Han, kana or Thai.
bool is_han_kana_or_thai(char32_t point);

/// A user-perceived character (extended grapheme cluster, UAX 29) with the kind of its first code point. A
/// space is always a cluster of its own, even before a combining mark.
struct Grapheme {
  std::string_view text;
  CharacterKind kind;
};
std::vector<Grapheme> graphemes(std::string_view text);

/// Properties in the rule for lowercasing a Greek final sigma (Unicode 15, section 3.13).
bool is_cased(char32_t point);
bool is_case_ignorable(char32_t point);

}  // namespace seq2seq
