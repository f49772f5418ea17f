#include "seq2seq/data/numbered_text.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <unordered_map>

#include "seq2seq/text/utf8.h"

namespace seq2seq {
namespace {

using FirstPositions = std::unordered_map<std::string_view, int64_t>;

/// The first position of each token's text.
FirstPositions first_positions(const std::vector<Token>& tokens) {
  FirstPositions first;
  for (size_t i = 0; i < tokens.size(); ++i) first.emplace(tokens[i].text, static_cast<int64_t>(i));
  return first;
}

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/// The parts between separators, without surrounding spaces; blank parts are dropped.
std::vector<std::string> split_at(std::string_view text, const std::string& separator) {
  std::vector<std::string> parts;
  for (size_t begin = 0;;) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    std::string_view part = text.substr(begin, end - begin);
    if (!is_blank(part)) {
      while (is_space(part.front())) part.remove_prefix(1);
      while (is_space(part.back())) part.remove_suffix(1);
      parts.emplace_back(part);
    }
    if (end == text.size()) return parts;
    begin = end + separator.size();
  }
}

std::vector<std::string> sentences_of(std::string_view text, std::span<const std::string> given,
                                      const TextForm& form) {
  if (!form.sentences) return {std::string(text)};
  if (!given.empty()) return {given.begin(), given.end()};
  return form.sentence_separator.empty() ? split_sentences(text) : split_at(text, form.sentence_separator);
}

bool closes(std::string_view text, size_t at) {
  static constexpr std::string_view marks[] = {"\"", "'", ")", "]", "\u201d", "\u2019", "\u00bb"};
  for (const auto mark : marks)
    if (text.substr(at).starts_with(mark)) return true;
  return false;
}

// "J. Smith": the point after a single capital letter ends no sentence.
bool is_initial(std::string_view text, size_t point) {
  return text[point] == '.' && point > 0 && std::isupper(static_cast<unsigned char>(text[point - 1])) != 0 &&
         (point == 1 || is_space(text[point - 2]));
}

}  // namespace

std::vector<std::string> split_sentences(std::string_view text) {
  std::vector<std::string> sentences;
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '.' && text[i] != '!' && text[i] != '?') continue;
    size_t end = i + 1;
    while (end < text.size() && closes(text, end)) {
      ++end;
      while (end < text.size() && (text[end] & '\xC0') == '\x80') ++end;  // its continuation bytes
    }
    size_t next = end;
    while (next < text.size() && is_space(text[next])) ++next;
    if (next == end || next == text.size() || is_initial(text, i) ||
        std::islower(static_cast<unsigned char>(text[next])) != 0)
      continue;
    sentences.emplace_back(text.substr(begin, end - begin));
    begin = next;
    i = next - 1;
  }
  sentences.emplace_back(text.substr(begin));
  return sentences;
}

NumberedSource number_source(const TextCodec& codec, std::string_view text,
                             std::span<const std::string> sentences, const TextForm& form, int64_t limit) {
  NumberedSource source;
  if (is_blank(text)) return source;
  bool first_sentence = true;
  for (const std::string& sentence : sentences_of(text, sentences, form)) {
    if (!first_sentence) {
      source.tokens.emplace_back();
      source.ids.push_back(Vocabulary::begin);
    }
    first_sentence = false;
    std::vector<Token> tokens = codec.tokenize(sentence);
    const std::vector<int64_t> ids = codec.ids(tokens);
    source.ids.insert(source.ids.end(), ids.begin(), ids.end());
    std::move(tokens.begin(), tokens.end(), std::back_inserter(source.tokens));
  }
  source.whole_length = std::ssize(source.ids);
  if (limit > 0 && source.whole_length > limit) {
    source.ids.resize(static_cast<size_t>(limit));
    source.tokens.resize(static_cast<size_t>(limit));
  }
  if (form.copying) {
    const FirstPositions first = first_positions(source.tokens);
    for (size_t i = 0; i < source.ids.size(); ++i)
      if (source.ids[i] == Vocabulary::unknown)
        source.ids[i] = codec.vocabulary().size() + first.at(source.tokens[i].text);
  }
  return source;
}

std::vector<Token> target_tokens(const TextCodec& codec, std::string_view text) {
  return is_blank(text) ? std::vector<Token>{} : codec.tokenize(text);
}

std::vector<int64_t> number_target(const TextCodec& codec, std::string_view text,
                                   const NumberedSource& source, const TextForm& form) {
  return number_target(codec, target_tokens(codec, text), source, form);
}

std::vector<int64_t> number_target(const TextCodec& codec, const std::vector<Token>& tokens,
                                   const NumberedSource& source, const TextForm& form) {
  std::vector<int64_t> ids = codec.ids(tokens);
  if (!form.copying) return ids;
  const FirstPositions first = first_positions(source.tokens);
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] != Vocabulary::unknown) continue;
    const auto found = first.find(tokens[i].text);
    if (found != first.end()) ids[i] = codec.vocabulary().size() + found->second;
  }
  return ids;
}

}  // namespace seq2seq
