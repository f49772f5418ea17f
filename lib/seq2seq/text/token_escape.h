#pragma once

// Private to the library: how the word and char tokenizers escape characters with a special meaning.

#include <string>
#include <string_view>

namespace seq2seq {

inline constexpr std::string_view space_mark = "\u2581";
inline constexpr std::string_view joiner_mark = "\uFFED";

/// Writes a space as U+2581, and U+2581, U+FFED, U+FF05 and control characters as U+FF05 and four hexadecimal
/// digits, so that no token contains a tab or a line end.
std::string escape_token(std::string_view text);
/// The inverse; text that is not an escape sequence is left unchanged.
std::string unescape_token(std::string_view token);

}  // namespace seq2seq
