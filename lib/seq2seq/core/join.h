#pragma once

// Private to the library: installed headers must not include it.

#include <span>
#include <string>
#include <string_view>

namespace seq2seq {

/// The texts with `between` between them, and with `last` before the last: "a, b or c".
std::string joined(std::span<const std::string> texts, std::string_view between, std::string_view last);
inline std::string joined(std::span<const std::string> texts, std::string_view between = ", ") {
  return joined(texts, between, between);
}

}  // namespace seq2seq
