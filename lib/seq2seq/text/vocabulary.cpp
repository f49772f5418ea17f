#include "seq2seq/text/vocabulary.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/json.h"
#include "seq2seq/text/utf8.h"

namespace seq2seq {
namespace {

constexpr int64_t vocabulary_format = 1;

bool is_special(std::string_view token) {
  const auto& special = Vocabulary::special_tokens();
  return std::find(special.begin(), special.end(), token) != special.end();
}

bool is_count(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

}  // namespace

const std::vector<std::string>& Vocabulary::special_tokens() {
  static const std::vector<std::string> tokens = {"<pad>", "<unk>", "<s>", "</s>"};
  return tokens;
}

Vocabulary::Vocabulary(std::vector<std::string> tokens) : tokens_(special_tokens()) {
  for (int64_t id = 0; id < special_count; ++id) ids_.emplace(tokens_[static_cast<size_t>(id)], id);
  tokens_.reserve(tokens.size() + special_count);
  for (size_t i = 0; i < tokens.size(); ++i)
    append(std::move(tokens[i]), [i] { return "vocabulary, token " + std::to_string(i + 1); });
}

void Vocabulary::append(std::string token, const std::function<std::string()>& place) {
  if (token.empty()) throw Error(place(), "an empty token", "remove it");
  if (find_invalid_utf8(token))
    throw Error(place(), "the token is not valid UTF-8", "save the vocabulary as UTF-8");
  if (is_special(token))
    throw Error(place(), "the special token '" + token + "' stands among the others",
                "leave it out; special tokens are added by themselves");
  if (!ids_.emplace(token, size()).second)
    throw Error(place(), "the token '" + token + "' occurs twice", "remove one of them");
  tokens_.push_back(std::move(token));
}

Vocabulary Vocabulary::from_counts(const TokenCounts& counts, const VocabularyOptions& options) {
  if (options.size != 0 && options.size <= special_count)
    throw Error("vocabulary size",
                std::to_string(options.size) + " leaves no room beside the " + std::to_string(special_count) +
                    " special tokens",
                "give a larger size");
  std::vector<std::pair<std::string, int64_t>> entries;
  for (const auto& [token, count] : counts)
    if (count >= options.minimum_frequency && !is_special(token)) entries.emplace_back(token, count);
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  if (options.size != 0 && entries.size() > static_cast<size_t>(options.size - special_count))
    entries.resize(static_cast<size_t>(options.size - special_count));
  std::vector<std::string> tokens;
  tokens.reserve(entries.size());
  for (auto& [token, count] : entries) tokens.push_back(std::move(token));
  return Vocabulary(std::move(tokens));
}

Vocabulary Vocabulary::load(const std::string& path) {
  const std::string text = read_file(path);
  if (path.ends_with(".json")) return from_json(text, path);
  Vocabulary vocabulary;
  size_t number = 0, at = text.starts_with("\uFEFF") ? 3 : 0;
  while (at < text.size()) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    ++number;
    const auto place = [&] { return path + ":" + std::to_string(number); };
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (const size_t tab = line.find('\t'); tab != std::string_view::npos) {
      const std::string count(line.substr(tab + 1));
      if (!is_count(count))
        throw Error(place(), "'" + count + "' is not a count", "write a token, a tab and its count");
      line = line.substr(0, tab);
    }
    if (vocabulary.size() == special_count && is_special(line)) continue;
    vocabulary.append(std::string(line), place);
  }
  return vocabulary;
}

void Vocabulary::save(const std::string& path) const {
  if (path.ends_with(".json")) return write_file(path, to_json() + "\n");
  std::string text;
  for (const std::string& token : tokens_) {
    if (token.find_first_of("\t\r\n") != std::string::npos)
      throw Error(path, "plain text cannot hold a token with a tab or a line end",
                  "let the file name end in .json");
    text += token + "\n";
  }
  write_file(path, text);
}

std::string Vocabulary::to_json() const {
  return dump_json(Json{{"format", vocabulary_format}, {"tokens", tokens_}}, 0);
}

Vocabulary Vocabulary::from_json(const std::string& text, const std::string& origin) {
  const Json json = parse_json(text, origin);
  const auto refuse = [&](const std::string& problem, const std::string& remedy) {
    throw Error(origin, problem, remedy);
  };
  if (!json.is_object() || !json.contains("tokens") || !json["tokens"].is_array())
    refuse("not a vocabulary", "it must read {\"format\": 1, \"tokens\": [...]}");
  for (const auto& [key, value] : json.items())
    if (key != "format" && key != "tokens") refuse("unknown key '" + key + "'", "valid: format, tokens");
  if (!json.contains("format") || json["format"] != vocabulary_format)
    refuse("format " + (json.contains("format") ? dump_json(json["format"]) : "is missing") +
               ", this program reads " + std::to_string(vocabulary_format),
           "use the program that wrote it, or make the vocabulary again");
  Vocabulary vocabulary;
  size_t number = 0;
  for (const Json& token : json["tokens"]) {
    const auto place = [&] { return origin + ": tokens[" + std::to_string(number) + "]"; };
    if (!token.is_string())
      throw Error(place(), dump_json(token) + " is not a string", "write tokens in quotes");
    const auto& value = token.get_ref<const std::string&>();
    if (vocabulary.size() > special_count || !is_special(value)) vocabulary.append(value, place);
    ++number;
  }
  return vocabulary;
}

std::optional<int64_t> Vocabulary::find(std::string_view token) const {
  const auto found = ids_.find(token);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

}  // namespace seq2seq
