#pragma once

#include <span>
#include <string>
#include <string_view>

namespace seq2seq {

/// White space as every tokenizer except char reads it, in training and in use: a run of it (Unicode's
/// White_Space: also line ends, no-break and ideographic spaces) is one space, and at both ends there is
/// none. Characters without width (U+200B, U+2060, U+FEFF) belong to the run beside them; between two other
/// characters they stay. `text` is valid UTF-8.
std::string with_plain_spaces(std::string_view text);

/// Whether that changes nothing.
bool has_plain_spaces(std::string_view text);

/// The white space of more than one byte, and the characters without width.
std::span<const std::string_view> multibyte_spaces();
std::span<const std::string_view> widthless_characters();

}  // namespace seq2seq
