#pragma once

// Private to the metrics: the programs whose figures they equal are Python's, so text follows its str
// methods.

#include <string>
#include <string_view>
#include <vector>

namespace seq2seq {

/// Code points of UTF-8 text; each byte that fits nowhere becomes U+FFFD, so that no output can stop scoring.
std::u32string decode_text(std::string_view text);

/// As str.lower().
std::u32string lowercase_text(std::u32string_view text);

/// As str.isspace().
bool is_space(char32_t character);

/// As str.split(): views into `text`.
std::vector<std::u32string_view> split_words(std::u32string_view text);

/// Unicode's general categories N*, P* and S*.
bool is_number(char32_t character);
bool is_punctuation(char32_t character);
bool is_symbol(char32_t character);

}  // namespace seq2seq
