#include "seq2seq/decode/translator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <future>
#include <utility>

#include "seq2seq/core/error.h"
#include "seq2seq/core/log.h"
#include "seq2seq/core/random.h"
#include "seq2seq/decode/models.h"
#include "seq2seq/decode/output_formats.h"
#include "seq2seq/decode/steering.h"
#include "seq2seq/text/vocabulary.h"
#include "seq2seq/text/white_space.h"

namespace seq2seq {
namespace {

/// The token ids of a text in the target language; all tokens must be in the vocabulary.
Phrase phrase_of(const TextCodec& target, const std::string& text, const char* flag) {
  Phrase phrase;
  for (const Token& token : target.tokenize(text)) {
    const auto id = target.vocabulary().find(token.text);
    if (!id)
      throw UsageError(flag, "'" + text + "': the target vocabulary lacks '" + token.text + "'",
                       "leave it out");
    phrase.push_back(*id);
  }
  if (phrase.empty()) throw UsageError(flag, "'" + text + "' has no token", "leave it out");
  return phrase;
}

OutputRules rules_of(const TranslatorOptions& options, const TextCodec& target) {
  OutputRules rules;
  for (const std::string& text : options.ban) rules.banned.push_back(phrase_of(target, text, "--ban"));
  for (const std::string& text : options.bias) {
    const size_t sign = text.rfind('=');
    char* end = nullptr;
    const double value = sign == std::string::npos ? 0 : std::strtod(text.c_str() + sign + 1, &end);
    if (end == nullptr || end == text.c_str() + sign + 1 || *end != 0 || !std::isfinite(value))
      throw UsageError("--bias", "'" + text + "' is not text=number", "write Haus=1.5");
    rules.biased.emplace_back(phrase_of(target, text.substr(0, sign), "--bias"), value);
  }
  for (const std::string& text : options.repeatable)
    for (const int64_t token : phrase_of(target, text, "--repeatable")) rules.repeatable.insert(token);
  return rules;
}

}  // namespace

bool TranslatorOptions::needs_all_words() const {
  return !ban.empty() || !bias.empty() || Steering::needed(search, {}, {});
}

Translator::Translator(TextCodecs text, int64_t maximum_length, DecodingPool& pool,
                       const TranslatorOptions& options)
    : text_(std::move(text)),
      maximum_length_(maximum_length),
      pool_(pool),
      options_(options),
      rules_(rules_of(options, *text_.target)) {
  check(options.search);
  if (options_.batch_invariant) options_.batch_size = 1;
}

Translator::Translator(const DecodingModels& models, DecodingPool& pool, const TranslatorOptions& options)
    : Translator(models.text, models.maximum_length, pool, options) {}

/// Leaves `result` without ids when there is nothing to decode.
SentenceRules Translator::number(const SourceLine& line, Translation& result) {
  SentenceRules rules;
  const auto index = static_cast<uint64_t>(counts_.lines++);
  if (!line.problem.empty()) {
    ++counts_.bad_lines;
    log_warning(line.problem + " (its output line is empty)");
    return rules;
  }
  if (!told_white_space_ && !text_.source->tokenizer().keeps_white_space() && !has_plain_spaces(line.text)) {
    told_white_space_ = true;
    log_info(line.place + ": its white space is read as single spaces, as in all lines");
  }
  NumberedSource& source = result.source;
  source = number_source(*text_.source, line.text, line.sentences, text_.form, maximum_length_);
  if (source.whole_length > maximum_length_ && counts_.cut_lines++ == 0)
    log_warning(line.place + ": cut from " + format_count(source.whole_length) + " to " +
                format_count(maximum_length_) + " tokens, as all longer lines will be; split such lines");
  rules.seed = mix_seed({static_cast<uint64_t>(options_.seed), index});
  const auto asked = [&](const std::string& text) {
    Phrase phrase = number_target(*text_.target, text, source, text_.form);
    if (std::find(phrase.begin(), phrase.end(), Vocabulary::unknown) != phrase.end())
      throw Error(line.place,
                  "'" + text + "' is asked of its output, but has a word that the model cannot write",
                  "choose other words");
    return phrase;
  };
  rules.prefix = asked(line.prefix);
  for (const std::string& phrase : line.required) {
    rules.required.push_back(asked(phrase));
    if (rules.required.size() > 64)
      throw Error(line.place, "has more than 64 required phrases", "join neighbours");
  }
  return rules;
}

std::vector<Translation> Translator::translate(std::span<const SourceLine> lines) {
  std::vector<Translation> results(lines.size());
  SearchRequest request{.search = options_.search,
                        .rules = rules_,
                        .batch_size = options_.batch_size,
                        .batch_invariant = options_.batch_invariant};
  std::vector<Translation*> asked;  // those with something to decode
  const int64_t first = counts_.lines;
  for (size_t i = 0; i < lines.size(); ++i) {
    SentenceRules rules = number(lines[i], results[i]);
    if (results[i].source.ids.empty()) continue;
    request.sources.push_back(results[i].source.ids);
    request.sentence_rules.push_back(std::move(rules));
    asked.push_back(&results[i]);
  }
  try {
    decode(std::move(request), asked);
    if (options_.verify) verify(asked);
  } catch (...) {
    rethrow_unforeseen(fmt::format("translating lines {} to {}", first + 1, counts_.lines));
  }
  for (Translation& result : results) {
    if (result.outputs.empty()) {
      counts_.without_output += !result.source.ids.empty();
      result.outputs.emplace_back();
    }
    counts_.output_tokens += std::ssize(result.outputs.front().tokens);
  }
  return results;
}

void Translator::decode(SearchRequest request, std::span<Translation* const> results) {
  const UnknownWords unknown = options_.replace_unknown ? UnknownWords::replace : UnknownWords::keep;
  auto found = pool_.search(std::move(request)).get();
  for (size_t i = 0; i < results.size(); ++i)
    for (Hypothesis& hypothesis : found[i]) {
      std::string text = written(hypothesis, *text_.target, results[i]->source.tokens, unknown);
      results[i]->outputs.push_back({std::move(hypothesis), std::move(text)});
    }
}

void Translator::verify(std::span<Translation* const> results) {
  constexpr double tolerance = 1e-3;
  std::vector<std::future<std::vector<Hypothesis>>> answers;
  std::vector<const Hypothesis*> outputs;
  const auto size = static_cast<size_t>(options_.batch_size);
  for (size_t begin = 0; begin < results.size(); begin += size) {
    ScoringRequest request;
    for (const Translation* result : results.subspan(begin, std::min(size, results.size() - begin)))
      for (const auto& output : result->outputs) {
        request.sources.push_back(result->source.ids);
        request.targets.push_back(output.tokens);
        outputs.push_back(&output);
      }
    answers.push_back(pool_.score(std::move(request)));
  }
  auto output = outputs.begin();
  for (auto& answer : answers)
    for (const Hypothesis& given : answer.get()) {
      // NaN counts as unequal.
      if (!(std::abs(given.log_probability - (*output)->log_probability) <
            tolerance * static_cast<double>(1 + given.tokens.size())))
        ++counts_.unequal;
      ++output;
    }
}

}  // namespace seq2seq
