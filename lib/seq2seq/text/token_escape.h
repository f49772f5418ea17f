#pragma once

// Private to the library: how the word and char tokenizers write characters that have a meaning in tokens or
// files.

#include <string>
#include <string_view>

namespace seq2seq {

inline constexpr std::string_view space_mark = "\u2581";
inline constexpr std::string_view joiner_mark = "\uFFED";

/// U+2581 for a space; U+FF05 and four hexadecimal digits for U+2581, U+FFED, U+FF05 and control characters,
/// so that no token contains a tab or a line end.
std::string escape_token(std::string_view text);
/// The inverse; what is no escape is left as it is.
std::string unescape_token(std::string_view token);

}  // namespace seq2seq
