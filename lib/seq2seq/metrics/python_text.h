#pragma once

// Private to the metrics: text functions equal to Python's str methods, which the reference programs use.

#include <string>
#include <string_view>
#include <vector>

namespace seq2seq {

/// Code points of UTF-8 text; each invalid byte becomes U+FFFD, so that every output can be scored.
std::u32string decode_text(std::string_view text);

/// Like str.lower().
std::u32string lowercase_text(std::u32string_view text);

/// Like str.casefold().
std::u32string casefold_text(std::u32string_view text);

/// Like str.isspace().
bool is_space(char32_t character);

/// Like str.split(): views into `text`.
std::vector<std::u32string_view> split_words(std::u32string_view text);

/// Unicode's general categories L*, M*, Nd, N*, P* and S*.
bool is_letter(char32_t character);
bool is_mark(char32_t character);
bool is_decimal_digit(char32_t character);
bool is_number(char32_t character);
bool is_punctuation(char32_t character);
bool is_symbol(char32_t character);

/// Lu and Lt.
bool is_uppercase(char32_t character);

}  // namespace seq2seq
