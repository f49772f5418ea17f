#pragma once

#include <cstddef>
#include <string>

namespace seq2seq {

/// Breaks lines of UTF-8 text longer than `width` characters at spaces; the breaks that `text` has stay.
std::string wrap(const std::string& text, size_t width);

}  // namespace seq2seq
