#pragma once

// Private: the reference scorers are Python programs, so these follow Python's str methods.

#include <string>
#include <string_view>
#include <vector>

namespace seq2seq {

/// Code points of UTF-8 text; each byte that fits nowhere becomes U+FFFD, so that no output can stop scoring.
std::u32string decode_text(std::string_view text);
std::string encode_text(std::u32string_view text);

/// As str.isspace().
bool is_space(char32_t character);
/// General categories N*, P* and S*.
bool is_number(char32_t character);
bool is_punctuation(char32_t character);
bool is_symbol(char32_t character);

/// As str.lower(): full mapping, with the final form of the Greek sigma.
std::u32string lowercase_text(std::u32string_view text);

/// As str.split(): views into `text`.
std::vector<std::u32string_view> split_words(std::u32string_view text);

}  // namespace seq2seq
