#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seq2seq {

/// Offset of the first byte of invalid UTF-8 (also overlong forms and surrogates); nullopt if there is none.
std::optional<size_t> find_invalid_utf8(std::string_view text);
/// What to do about it.
inline constexpr const char* utf8_remedy =
    "convert it from the encoding that it is in, for example: iconv -f WINDOWS-1252 -t UTF-8 FILE > TEXT";

/// The characters (code points) of valid UTF-8 text, as views into it.
std::vector<std::string_view> utf8_characters(std::string_view text);

/// Code points; `text` is valid UTF-8.
std::u32string utf8_decode(std::string_view text);
std::string utf8_encode(std::u32string_view text);

/// Whether `text` is empty or only (ASCII) white space.
inline bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos;
}

}  // namespace seq2seq
