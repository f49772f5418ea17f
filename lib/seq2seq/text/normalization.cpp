#include "seq2seq/text/normalization.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

#include "seq2seq/text/unicode.h"
#include "seq2seq/text/utf8.h"

namespace seq2seq {
namespace {

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string nfkc(std::string_view text) {
  utf8proc_uint8_t* mapped = nullptr;
  const auto length = utf8proc_map(
      reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
      &mapped, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
  if (length < 0) throw std::bad_alloc();  // the only possible failure on valid UTF-8
  return {reinterpret_cast<const char*>(mapped), static_cast<size_t>(length)};
}

// Whether a cased letter precedes the sigma at `at` and none follows, skipping case-ignorable characters.
bool is_final_sigma(const std::u32string& text, size_t at) {
  size_t before = at;
  while (before > 0 && is_case_ignorable(text[before - 1])) --before;
  if (before == 0 || !is_cased(text[before - 1])) return false;
  size_t after = at + 1;
  while (after < text.size() && is_case_ignorable(text[after])) ++after;
  return after == text.size() || !is_cased(text[after]);
}

std::string lowercase(std::string_view text) {
  std::string ascii(text);
  if (is_ascii(text)) {
    for (char& c : ascii)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return ascii;
  }
  const std::u32string points = utf8_decode(text);
  std::u32string result;
  for (size_t i = 0; i < points.size(); ++i) {
    if (points[i] == U'\u0130') {
      result += U"i\u0307";
    } else if (points[i] == U'\u03A3' && is_final_sigma(points, i)) {
      result += U'\u03C2';
    } else {
      result += static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(points[i])));
    }
  }
  return utf8_encode(result);
}

// Appends the normalized `word` with its origins: by grapheme if the graphemes together normalize to as many
// bytes as the whole word, else (a few compositions span graphemes) as if the word were one grapheme.
void append_word(std::string_view word, size_t begin, const NormalizationOptions& options,
                 NormalizedText& result) {
  const std::string whole = normalize(word, options);
  std::vector<size_t> origins;
  const auto append = [&](size_t bytes, size_t from, size_t size) {
    for (size_t i = 0; i < bytes; ++i) origins.push_back(begin + from + (i == 0 ? 0 : size));
  };
  size_t at = 0;
  for (const Grapheme& grapheme : graphemes(word)) {
    append(normalize(grapheme.text, options).size(), at, grapheme.text.size());
    at += grapheme.text.size();
  }
  if (origins.size() != whole.size()) {
    origins.clear();
    append(whole.size(), 0, word.size());
  }
  result.text += whole;
  result.origins.insert(result.origins.end(), origins.begin(), origins.end());
}

}  // namespace

std::string normalize(std::string_view text, const NormalizationOptions& options) {
  std::string result(text);
  if (options.nfkc && !is_ascii(result)) result = nfkc(result);
  if (options.lowercase) result = lowercase(result);
  return result;
}

NormalizedText normalize_with_origins(std::string_view text, const NormalizationOptions& options) {
  NormalizedText result;
  if (is_ascii(text) || (!options.nfkc && !options.lowercase)) {
    result.text = normalize(text, options);
    return result;
  }
  // Neither NFKC nor the rule for the final sigma depends on text beyond a space.
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    if (end > at) append_word(text.substr(at, end - at), at, options, result);
    if (end < text.size()) {
      result.text += ' ';
      result.origins.push_back(end);
    }
    at = end + 1;
  }
  result.origins.push_back(text.size());
  return result;
}

}  // namespace seq2seq
