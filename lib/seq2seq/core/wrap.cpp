#include "seq2seq/core/wrap.h"

#include <algorithm>
#include <string_view>

namespace seq2seq {
namespace {

/// Code points.
size_t characters_in(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string wrap_line(std::string_view text, size_t width) {
  std::string wrapped;
  size_t length = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    const std::string_view word = text.substr(at, end - at);
    const size_t characters = characters_in(word);
    if (length > 0) {
      const bool full = length + 1 + characters > width;
      wrapped += full ? '\n' : ' ';
      length = full ? 0 : length + 1;
    }
    wrapped += word;
    length += characters;
    at = end + 1;
  }
  return wrapped;
}

}  // namespace

std::string wrap(const std::string& text, size_t width) {
  std::string wrapped;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    wrapped += (at > 0 ? "\n" : "") + wrap_line(std::string_view(text).substr(at, end - at), width);
    at = end + 1;
  }
  return wrapped;
}

}  // namespace seq2seq
