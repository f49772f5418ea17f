#include "seq2seq/metrics/rouge_tokenizer.h"

#include <algorithm>

#include "seq2seq/metrics/porter_stemmer.h"
#include "seq2seq/metrics/python_text.h"
#include "seq2seq/text/unicode.h"
#include "seq2seq/text/utf8.h"

namespace seq2seq {
namespace {

bool is_kept_by_rouge_score(char32_t c) {
  return (c >= U'a' && c <= U'z') || (c >= U'0' && c <= U'9');
}

/// The runs of characters for which `is_part`, each character for which `stands_alone` by itself.
template <class IsPart, class StandsAlone>
std::vector<std::u32string> runs(std::u32string_view text, IsPart is_part, StandsAlone stands_alone) {
  std::vector<std::u32string> words;
  bool open = false;  // whether the last word may go on
  for (const char32_t c : text) {
    const bool part = is_part(c), alone = part && stands_alone(c);
    if (part && open && !alone)
      words.back().push_back(c);
    else if (part)
      words.emplace_back(1, c);
    open = part && !alone;
  }
  return words;
}

/// Letters, marks and digits; among them the zero of Han, which Unicode has as a letter number.
bool is_of_a_word(char32_t c) {
  return is_letter(c) || is_mark(c) || is_decimal_digit(c) || (is_number(c) && is_han_kana_or_thai(c));
}

std::vector<std::u32string> unicode_words(std::string_view text) {
  return runs(casefold_text(decode_text(text)), is_of_a_word, is_han_kana_or_thai);
}

std::vector<std::string> encoded(const std::vector<std::u32string>& words) {
  std::vector<std::string> result;
  result.reserve(words.size());
  for (const auto& word : words) result.push_back(utf8_encode(word));
  return result;
}

std::vector<std::string> rouge_score_words(std::string_view text, bool stem) {
  auto words = encoded(
      runs(lowercase_text(decode_text(text)), is_kept_by_rouge_score, [](char32_t) { return false; }));
  if (stem)
    for (std::string& word : words)
      if (word.size() > 3) word = porter_stem(word);
  std::erase(words, std::string());
  return words;
}

std::vector<std::string> character_words(std::string_view text) {
  return encoded(runs(
      casefold_text(decode_text(text)), [](char32_t c) { return !is_space(c); },
      [](char32_t) { return true; }));
}

}  // namespace

std::span<const char* const> option_names(RougeTokenizer) {
  static constexpr const char* names[] = {"auto", "rouge-score", "unicode", "char"};
  return names;
}

std::vector<std::string> tokenize_for_rouge(std::string_view text, const RougeOptions& options) {
  const RougeTokenizer tokenizer = options.tokenizer == RougeTokenizer::automatic
                                       ? settled(options.tokenizer, single_references({std::string(text)}))
                                       : options.tokenizer;
  switch (tokenizer) {
    case RougeTokenizer::unicode:
      return encoded(unicode_words(text));
    case RougeTokenizer::character:
      return character_words(text);
    default:
      return rouge_score_words(text, options.stem);
  }
}

KeptWords words_kept_by_rouge_score(const ReferenceLists& references) {
  KeptWords words;
  for (const auto& texts : references)
    for (const std::string& text : texts)
      for (const std::u32string& word : unicode_words(text)) {
        ++words.all;
        if (std::any_of(word.begin(), word.end(), is_kept_by_rouge_score)) ++words.kept;
      }
  return words;
}

RougeTokenizer settled(RougeTokenizer tokenizer, const ReferenceLists& references) {
  if (tokenizer != RougeTokenizer::automatic) return tokenizer;
  const KeptWords words = words_kept_by_rouge_score(references);
  return 2 * words.kept < words.all ? RougeTokenizer::unicode : RougeTokenizer::rouge_score;
}

}  // namespace seq2seq
