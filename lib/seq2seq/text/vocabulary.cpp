#include "seq2seq/text/vocabulary.h"

#include <algorithm>
#include <utility>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/join.h"
#include "seq2seq/core/json.h"
#include "seq2seq/core/log.h"
#include "seq2seq/text/utf8.h"
#include "seq2seq/text/vocabulary_file.h"

namespace seq2seq {
namespace {

bool is_special(std::string_view token) {
  const auto& special = Vocabulary::special_tokens();
  return std::find(special.begin(), special.end(), token) != special.end();
}

void tell(const ListedTokens& listed, const std::string& path) {
  if (!listed.format.empty())
    log_info(path + ": read as " + listed.format +
             "; tokens: " + format_count(static_cast<int64_t>(listed.tokens.size())) +
             "; special ones: " + (listed.special.empty() ? "none listed" : joined(listed.special)));
  if (!listed.warning.empty()) log_warning(path + ": " + listed.warning);
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

Vocabulary Vocabulary::of(const ListedTokens& listed) {
  Vocabulary vocabulary;
  vocabulary.tokens_.reserve(listed.tokens.size() + special_count);
  for (const FileToken& token : listed.tokens)
    vocabulary.append(token.text, [&] { return listed.place(token); });
  return vocabulary;
}

Vocabulary Vocabulary::load(const std::string& path) {
  const ListedTokens listed = list_tokens(read_file(path), path);
  if (listed.tokens.empty())
    throw Error(path, listed.special.empty() ? "lists no tokens" : "lists no tokens but special ones",
                "give the vocabulary of the text");
  Vocabulary vocabulary = of(listed);
  tell(listed, path);
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
  return of(list_own_json(text, origin));
}

std::optional<int64_t> Vocabulary::find(std::string_view token) const {
  const auto found = ids_.find(token);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

}  // namespace seq2seq
