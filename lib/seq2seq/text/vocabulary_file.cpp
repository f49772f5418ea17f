#include "seq2seq/text/vocabulary_file.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "seq2seq/core/error.h"
#include "seq2seq/core/plain_text.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {
namespace {

constexpr std::string_view byte_order_mark = "\uFEFF";

// Special tokens as a file spells them, and ours.
using SpecialNames = std::map<std::string, std::string>;

SpecialNames our_names() {
  SpecialNames names;
  for (const std::string& name : Vocabulary::special_tokens()) names.emplace(name, name);
  return names;
}

/// How many tokens at the beginning are special.
size_t length_of_top(const std::vector<FileToken>& tokens, const SpecialNames& names) {
  const auto ordinary = std::find_if(tokens.begin(), tokens.end(),
                                     [&](const FileToken& token) { return !names.contains(token.text); });
  return static_cast<size_t>(ordinary - tokens.begin());
}

/// Whether the tokens begin with `texts`, with the ids from 0 on.
bool begin_with(const std::vector<FileToken>& tokens, const std::vector<std::string>& texts) {
  if (tokens.size() < texts.size()) return false;
  for (size_t i = 0; i < texts.size(); ++i)
    if (tokens[i].text != texts[i] || tokens[i].id != static_cast<int64_t>(i)) return false;
  return true;
}

/// Whether every one of `texts` is among the first `count` tokens.
bool hold_all(const std::vector<FileToken>& tokens, size_t count, const std::set<std::string>& texts) {
  std::set<std::string> found;
  for (size_t i = 0; i < count; ++i)
    if (texts.contains(tokens[i].text)) found.insert(tokens[i].text);
  return found.size() == texts.size();
}

// Names of others are words like any other unless the rest of the file speaks for their author.
SpecialNames names_in(const std::vector<FileToken>& tokens, SpecialTokens expected) {
  SpecialNames names = our_names();
  SpecialNames of_opennmt = names;
  of_opennmt.erase("<pad>");
  of_opennmt["<blank>"] = "<pad>";
  const size_t top = length_of_top(tokens, of_opennmt);
  const SpecialNames of_nematus = {{"eos", "</s>"}, {"UNK", "<unk>"}};
  const SpecialNames of_later_nematus = {{"<EOS>", "</s>"}, {"<GO>", "<s>"}, {"<UNK>", "<unk>"}};
  const SpecialNames of_bert = {{"[PAD]", "<pad>"}, {"[UNK]", "<unk>"}, {"[CLS]", "<s>"}, {"[SEP]", "</s>"}};
  const bool with_ids = expected == SpecialTokens::anywhere;
  const auto add_if = [&](bool holds, const SpecialNames& more) {
    if (holds) names.insert(more.begin(), more.end());
  };
  add_if(top > 1 && hold_all(tokens, top, {"<blank>"}), of_opennmt);
  add_if(with_ids && begin_with(tokens, {"eos", "UNK"}), of_nematus);
  add_if(with_ids && begin_with(tokens, {"<EOS>", "<GO>", "<UNK>"}), of_later_nematus);
  add_if(hold_all(tokens, tokens.size(), {"[PAD]", "[UNK]", "[CLS]", "[SEP]"}), of_bert);
  return names;
}

void refuse_unreadable(const std::string& text, const std::string& path) {
  require_plain_text(text, path, GzipFiles::refused);
  if (text.find('\0') == std::string::npos) return;
  if (path.ends_with(".model"))
    throw Error(path, "is a SentencePiece model, not a list of tokens",
                "give it with --tokenizer sentencepiece --tokenizer.model");
  throw Error(path, "is no text", "give the tokens as text, one a line, or as JSON");
}

}  // namespace

std::string line_place(const std::string& path, int64_t number) {
  return path + ":" + std::to_string(number);
}

std::string quoted_line(std::string_view line) {
  constexpr size_t most = 40;
  return "'" + std::string(line.substr(0, most)) + (line.size() > most ? "..." : "") + "'";
}

ListedTokens without_special(std::vector<FileToken> tokens, SpecialTokens expected) {
  const SpecialNames names = expected == SpecialTokens::ours_first ? our_names() : names_in(tokens, expected);
  const size_t top = expected == SpecialTokens::anywhere ? tokens.size() : length_of_top(tokens, names);
  ListedTokens result;
  std::set<std::string> seen;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const auto name = names.find(tokens[i].text);
    const bool special = name != names.end() && (i < top || name->first != name->second);
    if (special && seen.insert(name->first).second)
      result.special.push_back(name->first == name->second ? name->first
                                                           : name->first + " as " + name->second);
    if (!special) result.tokens.push_back(std::move(tokens[i]));
  }
  return result;
}

ListedTokens in_order_of_ids(std::vector<FileToken> tokens, const std::string& path) {
  std::stable_sort(tokens.begin(), tokens.end(),
                   [](const FileToken& a, const FileToken& b) { return a.id < b.id; });
  for (size_t i = 1; i < tokens.size(); ++i)
    if (tokens[i].id == tokens[i - 1].id)
      throw Error(path,
                  "'" + tokens[i - 1].text + "' and '" + tokens[i].text + "' both have the id " +
                      std::to_string(tokens[i].id),
                  "give every token its own");
  size_t gap = 0;
  while (gap < tokens.size() && tokens[gap].id == static_cast<int64_t>(gap)) ++gap;
  std::string warning;
  if (gap < tokens.size())
    warning = "no token has the id " + std::to_string(gap) + ", though " + std::to_string(tokens.back().id) +
              " is one: is the file whole?";
  ListedTokens result = without_special(std::move(tokens), SpecialTokens::anywhere);
  result.warning = std::move(warning);
  return result;
}

ListedTokens list_tokens(const std::string& text, const std::string& path) {
  refuse_unreadable(text, path);
  if (path.ends_with(".json") || is_json_object(text)) return list_json(text, path);
  std::string_view content = text;
  if (content.starts_with(byte_order_mark)) content.remove_prefix(byte_order_mark.size());
  return list_lines(content, path);
}

}  // namespace seq2seq
