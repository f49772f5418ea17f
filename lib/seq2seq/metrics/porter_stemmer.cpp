#include "seq2seq/metrics/porter_stemmer.h"

#include <span>
#include <utility>

namespace seq2seq {
namespace {

// Conditions of the paper: m = `measure` (how often a consonant follows a vowel), *v* = `contains_vowel`,
// *d = `ends_in_double_consonant`, *o = `ends_in_short_syllable` (consonant-vowel-consonant).

bool is_vowel_letter(char c) {
  return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u';
}

/// Calls visit(is_consonant) for each letter; y is a consonant unless it follows one.
template <class Visit>
void for_each_letter(std::string_view word, Visit visit) {
  bool previous = false;
  for (const char c : word) {
    previous = c == 'y' ? !previous : !is_vowel_letter(c);
    visit(previous);
  }
}

int measure(std::string_view stem) {
  int result = 0;
  bool after_vowel = false;
  for_each_letter(stem, [&](bool consonant) {
    if (consonant && after_vowel) ++result;
    after_vowel = !consonant;
  });
  return result;
}

bool contains_vowel(std::string_view stem) {
  bool found = false;
  for_each_letter(stem, [&](bool consonant) { found = found || !consonant; });
  return found;
}

/// The last three letters as bits, 1 for a consonant, the last letter in the lowest bit.
unsigned last_letters(std::string_view word) {
  unsigned bits = 0;
  for_each_letter(word, [&](bool consonant) { bits = (bits << 1 | (consonant ? 1U : 0U)) & 7U; });
  return bits;
}

bool ends_in_consonant(std::string_view word) {
  return (last_letters(word) & 1U) != 0;
}

bool ends_in_double_consonant(std::string_view word) {
  return word.size() >= 2 && word.back() == word[word.size() - 2] && ends_in_consonant(word);
}

bool ends_in_short_syllable(std::string_view word) {
  const unsigned last = last_letters(word);
  if (word.size() == 2) return last == 0b01;
  const char end = word.empty() ? 'w' : word.back();
  return word.size() >= 3 && last == 0b101 && end != 'w' && end != 'x' && end != 'y';
}

struct Rule {
  std::string_view suffix, replacement;
};

/// Only the first rule with a matching suffix counts: it is applied if the stem before the suffix has a
/// measure above `minimum`.
void apply_rules(std::string& word, std::span<const Rule> rules, int minimum) {
  for (const auto& [suffix, replacement] : rules) {
    if (!word.ends_with(suffix)) continue;
    const size_t length = word.size() - suffix.size();
    if (measure(std::string_view(word).substr(0, length)) > minimum)
      word.replace(length, suffix.size(), replacement);
    return;
  }
}

void strip_plural(std::string& word) {  // step 1a
  if (word.ends_with("ies") && word.size() == 4) {
    word.pop_back();
  } else if (word.ends_with("sses") || word.ends_with("ies")) {
    word.resize(word.size() - 2);
  } else if (word.ends_with("s") && !word.ends_with("ss")) {
    word.pop_back();
  }
}

void strip_past_and_gerund(std::string& word) {  // step 1b
  if (word.ends_with("ied")) {
    word.resize(word.size() - (word.size() == 4 ? 1 : 2));
    return;
  }
  if (word.ends_with("eed")) {
    if (measure(std::string_view(word).substr(0, word.size() - 3)) > 0) word.pop_back();
    return;
  }
  const size_t suffix = word.ends_with("ed") ? 2 : word.ends_with("ing") ? 3 : 0;
  if (suffix == 0 || !contains_vowel(std::string_view(word).substr(0, word.size() - suffix))) return;
  word.resize(word.size() - suffix);
  const char end = word.back();
  if (word.ends_with("at") || word.ends_with("bl") || word.ends_with("iz")) {
    word.push_back('e');
  } else if (ends_in_double_consonant(word)) {
    if (end != 'l' && end != 's' && end != 'z') word.pop_back();
  } else if (measure(word) == 1 && ends_in_short_syllable(word)) {
    word.push_back('e');
  }
}

void turn_final_y(std::string& word) {  // step 1c
  if (word.ends_with("y") && word.size() > 2 &&
      ends_in_consonant(std::string_view(word).substr(0, word.size() - 1)))
    word.back() = 'i';
}

void shorten_double_suffix(std::string& word) {  // step 2
  static constexpr Rule rules[] = {
      {"ational", "ate"}, {"tional", "tion"}, {"enci", "ence"}, {"anci", "ance"}, {"izer", "ize"},
      {"bli", "ble"},     {"alli", "al"},     {"entli", "ent"}, {"eli", "e"},     {"ousli", "ous"},
      {"ization", "ize"}, {"ation", "ate"},   {"ator", "ate"},  {"alism", "al"},  {"iveness", "ive"},
      {"fulness", "ful"}, {"ousness", "ous"}, {"aliti", "al"},  {"iviti", "ive"}, {"biliti", "ble"},
      {"fulli", "ful"}};
  // "alli" -> "al" may expose another suffix of this step ("rationalli").
  while (word.ends_with("alli") && measure(std::string_view(word).substr(0, word.size() - 4)) > 0)
    word.resize(word.size() - 2);
  if (word.ends_with("logi")) {
    // The l counts as part of the stem, so that "geologi" and "archaeologi" are treated alike.
    if (measure(std::string_view(word).substr(0, word.size() - 3)) > 0) word.pop_back();
    return;
  }
  apply_rules(word, rules, 0);
}

void strip_adjective_suffix(std::string& word) {  // step 3
  static constexpr Rule rules[] = {{"icate", "ic"}, {"ative", ""}, {"alize", "al"}, {"iciti", "ic"},
                                   {"ical", "ic"},  {"ful", ""},   {"ness", ""}};
  apply_rules(word, rules, 0);
}

void strip_last_suffix(std::string& word) {  // step 4
  static constexpr Rule rules[] = {{"al", ""},   {"ance", ""}, {"ence", ""}, {"er", ""},    {"ic", ""},
                                   {"able", ""}, {"ible", ""}, {"ant", ""},  {"ement", ""}, {"ment", ""},
                                   {"ent", ""},  {"ou", ""},   {"ism", ""},  {"ate", ""},   {"iti", ""},
                                   {"ous", ""},  {"ive", ""},  {"ize", ""}};
  if (word.ends_with("ion")) {
    const auto stem = std::string_view(word).substr(0, word.size() - 3);
    if (measure(stem) > 1 && (stem.back() == 's' || stem.back() == 't')) word.resize(stem.size());
    return;
  }
  apply_rules(word, rules, 1);
}

void tidy_end(std::string& word) {  // step 5
  if (word.ends_with("e")) {
    const auto stem = std::string_view(word).substr(0, word.size() - 1);
    const int m = measure(stem);
    if (m > 1 || (m == 1 && !ends_in_short_syllable(stem))) word.pop_back();
  }
  if (word.ends_with("ll") && measure(std::string_view(word).substr(0, word.size() - 1)) > 1) word.pop_back();
}

std::string_view irregular_stem(std::string_view word) {
  static constexpr std::pair<std::string_view, std::string_view> forms[] = {
      {"sky", "sky"},        {"skies", "sky"},       {"dying", "die"},        {"lying", "lie"},
      {"tying", "tie"},      {"news", "news"},       {"innings", "inning"},   {"inning", "inning"},
      {"outings", "outing"}, {"outing", "outing"},   {"cannings", "canning"}, {"canning", "canning"},
      {"howe", "howe"},      {"proceed", "proceed"}, {"exceed", "exceed"},    {"succeed", "succeed"}};
  for (const auto& [form, stem] : forms)
    if (form == word) return stem;
  return {};
}

}  // namespace

std::string porter_stem(std::string_view word) {
  if (const auto irregular = irregular_stem(word); !irregular.empty()) return std::string(irregular);
  std::string result(word);
  if (word.size() <= 2) return result;
  strip_plural(result);
  strip_past_and_gerund(result);
  turn_final_y(result);
  shorten_double_suffix(result);
  strip_adjective_suffix(result);
  strip_last_suffix(result);
  tidy_end(result);
  return result;
}

}  // namespace seq2seq
