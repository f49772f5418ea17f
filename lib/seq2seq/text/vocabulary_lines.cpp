#include <algorithm>
#include <utility>

#include "seq2seq/core/error.h"
#include "seq2seq/text/vocabulary.h"
#include "seq2seq/text/vocabulary_file.h"

namespace seq2seq {
namespace {

using Lines = std::vector<std::string_view>;

Lines vocabulary_lines(std::string_view text) {
  Lines lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    at = end + 1;
  }
  return lines;
}

/// A token, and the number behind it.
struct NumberedToken {
  std::string_view token, number;
};
/// Split at the last `mark`; all is token where there is none.
NumberedToken split_number(std::string_view line, char mark) {
  const size_t at = line.rfind(mark);
  if (at == std::string_view::npos) return {line, {}};
  return {line.substr(0, at), line.substr(at + 1)};
}
/// A line of a dictionary of fairseq.
NumberedToken split_fairseq(std::string_view line) {
  constexpr std::string_view overwrite = " #fairseq:overwrite";
  if (line.ends_with(overwrite)) line.remove_suffix(overwrite.size());
  return split_number(line, ' ');
}

bool is_count(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_score(std::string_view text) {
  return text.find_first_of("0123456789") != std::string_view::npos &&
         text.find_first_not_of("0123456789+-.eE") == std::string_view::npos;
}

bool holds_space(std::string_view token) {
  return token.find_first_of(" \r\v\f") != std::string_view::npos;
}

bool is_own(const Lines& lines) {
  const auto& special = Vocabulary::special_tokens();
  return lines.size() >= special.size() && std::equal(special.begin(), special.end(), lines.begin());
}

bool is_fairseq(std::string_view line) {
  const NumberedToken parts = split_fairseq(line);
  return !parts.token.empty() && !holds_space(parts.token) && is_count(parts.number);
}

bool has_score(std::string_view line) {
  const std::string_view number = split_number(line, '\t').number;
  return is_score(number) && !is_count(number);
}

/// The tokens of all lines, each cut out by `token_of(line, place)`.
template <class TokenOf>
std::vector<FileToken> tokens_of_lines(const Lines& lines, const std::string& path, TokenOf token_of) {
  std::vector<FileToken> tokens;
  tokens.reserve(lines.size());
  for (const std::string_view line : lines) {
    const auto id = static_cast<int64_t>(tokens.size());
    const auto place = [&] { return line_place(path, id + 1); };
    const std::string_view token = token_of(line, place);
    if (token.empty()) throw Error(place(), "an empty token", "remove it");  // before a million are collected
    tokens.push_back({std::string(token), id, id + 1});
  }
  return tokens;
}

std::vector<FileToken> own_tokens(const Lines& lines, const std::string& path) {
  return tokens_of_lines(lines, path, [](std::string_view line, const auto& place) {
    const size_t tab = line.find('\t');
    if (tab == std::string_view::npos) return line;
    const std::string_view count = line.substr(tab + 1);
    if (!is_count(count))
      throw Error(place(), "'" + std::string(count) + "' is not a count",
                  "write a token, a tab and its count");
    return line.substr(0, tab);
  });
}

std::vector<FileToken> pieces(const Lines& lines, const std::string& path) {
  return tokens_of_lines(lines, path, [](std::string_view line, const auto& place) {
    const NumberedToken parts = split_number(line, '\t');
    if (!is_score(parts.number))
      throw Error(place(), quoted_line(line) + " has no score behind a tab, as other lines have",
                  "give the .vocab file as SentencePiece wrote it");
    return parts.token;
  });
}

std::vector<FileToken> fairseq_words(const Lines& lines, const std::string& path) {
  return tokens_of_lines(lines, path, [](std::string_view line, const auto& place) {
    if (!is_fairseq(line))
      throw Error(place(), quoted_line(line) + " is not a word, a space and a count, as line 1 is",
                  "write so in every line, or one token a line");
    return split_fairseq(line).token;
  });
}

// Of a token with a space no tokenizer makes use: the file has another form, which must not be half read.
void refuse_spaces(const std::vector<FileToken>& tokens, const std::string& path) {
  for (const FileToken& token : tokens) {
    if (!holds_space(token.text)) continue;
    const std::string place = line_place(path, token.number);
    if (token.text.find('\r') != std::string::npos)
      throw Error(place, "a carriage return inside a line", "end lines in LF or CRLF");
    throw Error(place, quoted_line(token.text) + " holds a space, which no token does",
                "write one token a line, or in every line a word, a space and a count, as fairseq does");
  }
}

ListedTokens listed(std::vector<FileToken> tokens, SpecialTokens expected, const std::string& format) {
  ListedTokens result = without_special(std::move(tokens), expected);
  result.format = format;
  return result;
}

ListedTokens listed_foreign(const Lines& lines, const std::string& path) {
  if (is_yaml(lines, path)) return list_yaml(lines, path);
  const bool tabs = std::any_of(lines.begin(), lines.end(), [](std::string_view line) {
    return line.find('\t') != std::string_view::npos;
  });
  if (std::any_of(lines.begin(), lines.end(), has_score))
    return listed(pieces(lines, path), SpecialTokens::anywhere,
                  "SentencePiece's pieces, for text that is split into such");
  if (!tabs && !lines.empty() && is_fairseq(lines.front()))
    return listed(fairseq_words(lines, path), SpecialTokens::anywhere, "a dictionary of fairseq");
  if (!lines.empty() && lines.front().starts_with("#version:"))
    throw Error(path, "holds merge operations of byte-pair encoding, not a vocabulary",
                "give a list of the tokens that they make");
  std::vector<FileToken> tokens = own_tokens(lines, path);
  refuse_spaces(tokens, path);
  ListedTokens result = listed(std::move(tokens), SpecialTokens::first, "a list of tokens");
  const bool blank = std::any_of(result.special.begin(), result.special.end(),
                                 [](const std::string& name) { return name.starts_with("<blank>"); });
  if (blank) result.format = "a vocabulary of OpenNMT";
  return result;
}

}  // namespace

ListedTokens list_lines(std::string_view text, const std::string& path) {
  const Lines lines = vocabulary_lines(text);
  ListedTokens result = is_own(lines) ? without_special(own_tokens(lines, path), SpecialTokens::ours_first)
                                      : listed_foreign(lines, path);
  result.place = [path](const FileToken& token) { return line_place(path, token.number); };
  return result;
}

}  // namespace seq2seq
