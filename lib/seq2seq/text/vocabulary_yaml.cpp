#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "seq2seq/core/error.h"
#include "seq2seq/text/utf8.h"
#include "seq2seq/text/vocabulary_file.h"

namespace seq2seq {
namespace {

using YamlLines = std::vector<std::string_view>;

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

bool is_named_yaml(const std::string& path) {
  return path.ends_with(".yml") || path.ends_with(".yaml");
}

/// Comments, and the marks around a document.
bool has_no_content(std::string_view line) {
  const std::string_view text = trimmed(line);
  return text.empty() || text.starts_with('#') || text.starts_with("%YAML") || text == "---" || text == "...";
}

struct YamlEntry {
  std::string_view key;
  int64_t id;
};
std::optional<YamlEntry> split_entry(std::string_view line) {
  const std::string_view text = trimmed(line);
  const size_t colon = text.rfind(": ");
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view key = trimmed(text.substr(0, colon)), id = trimmed(text.substr(colon + 1));
  YamlEntry entry{key, 0};
  const auto parsed = std::from_chars(id.data(), id.data() + id.size(), entry.id);
  if (key.empty() || parsed.ec != std::errc() || parsed.ptr != id.data() + id.size() || entry.id < 0)
    return std::nullopt;
  return entry;
}

/// The character of an escape sequence behind its backslash, which is taken off `rest`; nullopt for none.
std::optional<std::string> take_escape(std::string_view& rest) {
  using std::string_view_literals::operator""sv;
  static constexpr auto names = "0abtnvfre\"/\\ N_LP"sv, values = "\0\a\b\t\n\v\f\r\x1B\"/\\ "sv;
  static constexpr char32_t wide[] = {0x85, 0xA0, 0x2028, 0x2029};
  static constexpr auto hexadecimal = "xuU"sv;
  if (rest.empty()) return std::nullopt;
  const char kind = rest.front();
  rest.remove_prefix(1);
  if (const size_t at = names.find(kind); at != std::string_view::npos)
    return at < values.size() ? std::string(1, values[at])
                              : utf8_encode(std::u32string(1, wide[at - values.size()]));
  const size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : 8;
  if (hexadecimal.find(kind) == std::string_view::npos || rest.size() < digits) return std::nullopt;
  uint32_t point = 0;
  const auto parsed = std::from_chars(rest.data(), rest.data() + digits, point, 16);
  if (parsed.ptr != rest.data() + digits || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000))
    return std::nullopt;
  rest.remove_prefix(digits);
  return utf8_encode(std::u32string(1, static_cast<char32_t>(point)));
}

/// nullopt when the quotes are not closed, or something stands behind them.
std::optional<std::string> unquoted(std::string_view key) {
  const char quote = key.front();
  if (quote != '"' && quote != '\'') return std::string(key);
  std::string text;
  for (std::string_view rest = key.substr(1); !rest.empty();) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == quote && quote == '\'' && rest.starts_with('\'')) {
      text += c;
      rest.remove_prefix(1);
    } else if (c == quote) {
      return rest.empty() ? std::optional(text) : std::nullopt;
    } else if (c == '\\' && quote == '"') {
      const auto character = take_escape(rest);
      if (!character) return std::nullopt;
      text += *character;
    } else {
      text += c;
    }
  }
  return std::nullopt;
}

}  // namespace

bool is_yaml(const YamlLines& lines, const std::string& path) {
  if (!is_named_yaml(path))
    return !lines.empty() && std::all_of(lines.begin(), lines.end(),
                                         [](std::string_view line) { return split_entry(line).has_value(); });
  const auto first = std::find_if_not(lines.begin(), lines.end(), has_no_content);
  return first != lines.end() && split_entry(*first).has_value();
}

ListedTokens list_yaml(const YamlLines& lines, const std::string& path) {
  std::vector<FileToken> tokens;
  int64_t number = 0;
  for (const std::string_view line : lines) {
    ++number;
    const auto entry = split_entry(line);
    if (!entry && has_no_content(line)) continue;
    if (!entry)
      throw Error(line_place(path, number), quoted_line(line) + " is not 'token: id'",
                  "write so in every line, as Marian does");
    const auto token = unquoted(entry->key);
    if (!token)
      throw Error(line_place(path, number), quoted_line(entry->key) + " is not a text in quotes",
                  "close the quotes, and write \\\" and \\\\ for such characters inside of them");
    tokens.push_back({*token, entry->id, number});
  }
  ListedTokens listed = in_order_of_ids(std::move(tokens), path);
  listed.format = "a vocabulary of Marian (token: id)";
  return listed;
}

}  // namespace seq2seq
