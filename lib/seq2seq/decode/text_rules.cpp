#include "seq2seq/decode/text_rules.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "seq2seq/core/error.h"
#include "seq2seq/decode/beam.h"
#include "seq2seq/decode/phrase_set.h"
#include "seq2seq/decode/translator.h"
#include "seq2seq/text/utf8.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {
namespace {

/// The number of "text=number", in decimal digits.
std::optional<double> bias_of(std::string_view number) {
  if (number.starts_with('+')) number.remove_prefix(1);
  double value = 0;
  const char* end = number.data() + number.size();
  const auto read = std::from_chars(number.data(), end, value);
  if (read.ec != std::errc() || read.ptr != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::string place_of(const std::string& own, const SourceLine& line) {
  return own.empty() ? line.place : own;
}

}  // namespace

TextRules::TextRules(const TranslatorOptions& options, const TextCodecs& text)
    : text_(text), search_(options.search), replace_unknown_(options.replace_unknown) {
  for (const std::string& ban : options.ban) {
    if (ban == Vocabulary::special_tokens()[Vocabulary::unknown])
      throw UsageError("--ban", "'" + ban + "' would be text like any other", "give --ban-unknown");
    banned_.push_back(checked("--ban", ban));
  }
  for (const std::string& bias : options.bias) {
    const size_t sign = bias.rfind('=');
    const auto value =
        sign == std::string::npos ? std::nullopt : bias_of(std::string_view(bias).substr(sign + 1));
    if (!value) throw UsageError("--bias", "'" + bias + "' is not text=number", "write Haus=1.5");
    biased_.push_back(checked("--bias", bias.substr(0, sign), *value));
  }
  for (const std::string& repeatable : options.repeatable)
    repeatable_.push_back(checked("--repeatable", repeatable));
  common_ = rules_with({});
}

const Lexicon& TextRules::lexicon() {
  if (!lexicon_) lexicon_ = std::make_unique<const Lexicon>(text_.target);
  return *lexicon_;
}

TextRules::Text TextRules::checked(const char* flag, const std::string& text, double bias) {
  std::string plain = lexicon().plain(text);
  if (plain.empty()) throw UsageError(flag, "'" + text + "' has no token", "leave it out");
  // With copying, a source may have its words.
  if (!text_.form.copying && lexicon().phrase(text).empty()) {
    const bool may_replace = flag == std::string_view("--ban") && replace_unknown_ && !search_.ban_unknown;
    throw UsageError(
        flag, "'" + text + "': the target vocabulary lacks '" + lexicon().unwritable(text) + "'",
        may_replace ? "leave it out, or give --ban-unknown, so that no word of the source stands for <unk>"
                    : "leave it out");
  }
  return {std::move(plain), bias};
}

OutputRules TextRules::rules_with(const Lexicon::SourceWords& words) {
  OutputRules rules;
  rules.unknown_is_replaced = replace_unknown_;
  for (const Text& one : banned_) rules.banned.push_back(lexicon().phrase(one.text, words));
  for (const Text& one : biased_) rules.biased.emplace_back(lexicon().phrase(one.text, words), one.bias);
  for (const Text& one : repeatable_)
    for (const int64_t token : lexicon().phrase(one.text, words).usual_tokens())
      rules.repeatable.insert(token);
  return rules;
}

bool TextRules::concerned(const Lexicon::SourceWords& words) const {
  for (const auto* texts : {&banned_, &biased_, &repeatable_})
    if (std::any_of(texts->begin(), texts->end(), [&](const Text& one) { return words.within(one.text); }))
      return true;
  return false;
}

SentenceRules TextRules::of(const SourceLine& line, const NumberedSource& source) {
  SentenceRules rules;
  const bool own = !is_blank(line.prefix) || !line.required.empty();
  if (!own && banned_.empty() && biased_.empty() && repeatable_.empty()) return rules;
  const Lexicon::SourceWords words(lexicon(), source, text_.form.copying, replace_unknown_);
  if (concerned(words)) rules.output = std::make_shared<const OutputRules>(rules_with(words));
  if (!is_blank(line.prefix)) add_prefix(line, words, rules);
  if (!line.required.empty()) add_required(line, words, std::ssize(source.ids), rules);
  return rules;
}

void TextRules::add_prefix(const SourceLine& line, const Lexicon::SourceWords& words, SentenceRules& rules) {
  const std::string place = place_of(line.prefix_place, line);
  rules.prefix = lexicon().phrase(line.prefix, words, Lexicon::Use::line_start);
  if (rules.prefix.empty())
    throw Error(
        place,
        "the prefix has '" + lexicon().unwritable(line.prefix, words) + "', which the model cannot write",
        "choose other words");
  const OutputRules& output = rules.output ? *rules.output : common_;
  if (!can_avoid(rules.prefix, PhraseSet(output.banned)))
    throw Error(place, "the prefix '" + line.prefix + "' holds what --ban forbids", "leave one of them out");
}

void TextRules::add_required(const SourceLine& line, const Lexicon::SourceWords& words, int64_t source_length,
                             SentenceRules& rules) {
  const std::string place = place_of(line.required_place, line);
  if (line.required.size() > 64) throw Error(place, "has more than 64 required phrases", "join neighbours");
  const OutputRules& output = rules.output ? *rules.output : common_;
  const PhraseSet banned(output.banned);
  const int64_t limit = std::max(longest_output(search_, source_length), rules.prefix.length());
  for (const std::string& text : line.required) {
    Phrase phrase = lexicon().phrase(text, words, Lexicon::Use::required);
    if (phrase.shortest() == Phrase::unreachable)
      throw Error(place,
                  "the required '" + text + "' has '" + lexicon().unwritable(text, words) +
                      "', which the model cannot write",
                  "choose other words");
    if (phrase.shortest() > limit)
      throw Error(place,
                  "the required '" + text + "' has " + std::to_string(phrase.shortest()) +
                      " tokens, but the output at most " + std::to_string(limit),
                  "give --max-length " + std::to_string(phrase.shortest()) + " or more");
    if (!can_avoid(phrase, banned))
      throw Error(place, "the required '" + text + "' is what --ban forbids", "leave one of them out");
    rules.required.push_back(std::move(phrase));
  }
}

}  // namespace seq2seq
