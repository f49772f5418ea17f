#include "seq2seq/decode/translator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <future>
#include <limits>
#include <utility>

#include "seq2seq/core/error.h"
#include "seq2seq/core/join.h"
#include "seq2seq/core/log.h"
#include "seq2seq/core/random.h"
#include "seq2seq/decode/models.h"
#include "seq2seq/decode/output_formats.h"
#include "seq2seq/decode/text_rules.h"
#include "seq2seq/text/utf8.h"
#include "seq2seq/text/white_space.h"

namespace seq2seq {
namespace {

Translation::Output nothing_found() {
  Translation::Output none;
  none.score = none.log_probability = std::numeric_limits<double>::quiet_NaN();
  return none;
}

const char* remedy_of(NoOutput why) {
  if (why == NoOutput::rules) return "loosen them";
  return why == NoOutput::endless ? "raise --max-length" : "use another checkpoint or archive";
}

}  // namespace

bool Translation::answered() const {
  return !outputs.empty() && !std::isnan(outputs.front().score);
}

Translator::Translator(TextCodecs text, int64_t maximum_length, DecodingPool& pool,
                       const TranslatorOptions& options)
    : text_(std::move(text)),
      maximum_length_(maximum_length),
      pool_(pool),
      options_(options),
      rules_(std::make_unique<TextRules>(options, text_)) {
  check(options.search);
}

Translator::Translator(const DecodingModels& models, DecodingPool& pool, const TranslatorOptions& options)
    : Translator(models.text, models.maximum_length, pool, options) {
  // The last bits of what is rounded decide between two integers.
  if (models.weight_format() == WeightFormat::int8) tolerance_ = 1e-2;
}

Translator::~Translator() = default;

void Translator::report_bad(const std::string& problem) {
  ++counts_.bad_lines;
  log_warning(problem + " (its output line is empty)");
}

/// Leaves `result` without ids when there is nothing to decode.
SentenceRules Translator::number(const SourceLine& line, Translation& result) {
  const auto index = static_cast<uint64_t>(counts_.lines++);
  if (!line.problem.empty()) {
    report_bad(line.problem);
    return {};
  }
  if (!told_white_space_ && !text_.source->tokenizer().keeps_white_space() && !has_plain_spaces(line.text)) {
    told_white_space_ = true;
    log_info(line.place + ": its white space is read as single spaces, as in all lines");
  }
  NumberedSource source =
      number_source(*text_.source, line.text, line.sentences, text_.form, maximum_length_);
  const bool has_prefix = !is_blank(line.prefix);
  if (source.ids.empty() && (has_prefix || !line.required.empty()))
    report_bad((has_prefix ? line.prefix_place : line.required_place) + ": asks for text in the output of " +
               line.place + ", which is empty");
  if (source.ids.empty()) return {};
  if (source.whole_length > maximum_length_ && counts_.cut_lines++ == 0)
    log_warning(line.place + ": cut from " + format_count(source.whole_length) + " to " +
                format_count(maximum_length_) + " tokens, as all longer lines will be; split such lines");
  try {
    SentenceRules rules = rules_->of(line, source);
    rules.seed = mix_seed({static_cast<uint64_t>(options_.seed), index});
    result.source = std::move(source);
    return rules;
  } catch (const Error& error) {
    report_bad(error.what());
    return {};
  }
}

std::vector<Translation> Translator::translate(std::span<const SourceLine> lines) {
  std::vector<Translation> results(lines.size());
  SearchRequest request{.search = options_.search,
                        .rules = rules_->common(),
                        .batch_size = options_.batch_size,
                        .max_batch_tokens = options_.max_batch_tokens,
                        .batch_invariant = options_.batch_invariant};
  std::vector<Translation*> asked;  // those with something to decode
  std::vector<const SourceLine*> their_lines;
  const int64_t first = counts_.lines;
  for (size_t i = 0; i < lines.size(); ++i) {
    SentenceRules rules = number(lines[i], results[i]);
    if (results[i].source.ids.empty()) continue;
    request.sources.push_back(results[i].source.ids);
    request.sentence_rules.push_back(std::move(rules));
    asked.push_back(&results[i]);
    their_lines.push_back(&lines[i]);
  }
  try {
    decode(std::move(request), asked, their_lines);
    if (options_.verify) verify(asked);
  } catch (...) {
    rethrow_unforeseen(fmt::format("translating lines {} to {}", first + 1, counts_.lines));
  }
  for (Translation& result : results) {
    if (result.outputs.empty()) result.outputs.push_back(nothing_found());
    counts_.output_tokens += std::ssize(result.outputs.front().tokens);
  }
  return results;
}

void Translator::decode(SearchRequest request, std::span<Translation* const> results,
                        std::span<const SourceLine* const> lines) {
  const auto found = pool_.search(std::move(request)).get();
  for (size_t i = 0; i < results.size(); ++i) take(found[i], *lines[i], *results[i]);
}

void Translator::take(const SentenceOutputs& found, const SourceLine& line, Translation& result) {
  const UnknownWords unknown = options_.replace_unknown ? UnknownWords::replace : UnknownWords::keep;
  const bool groups = options_.search.beam_groups > 1;
  for (const Hypothesis& hypothesis : found) {
    Translation::Output output{{hypothesis}};
    output.text = written(hypothesis, *text_.target, result.source.tokens, unknown);
    for (const size_t phrase : hypothesis.missing) output.missing_texts.push_back(line.required[phrase]);
    const auto same = [&](const Translation::Output& other) { return other.text == output.text; };
    // Groups are to differ for the reader.
    if (!groups || std::none_of(result.outputs.begin(), result.outputs.end(), same))
      result.outputs.push_back(std::move(output));
  }
  if (found.empty()) {
    ++counts_.without_output;
    log_warning(line.place + ": has no output: " + reason_of(found.why) + "; " + remedy_of(found.why));
    return;
  }
  if (groups && std::ssize(result.outputs) < options_.search.n_best) ++counts_.fewer;
  const auto& missing = result.outputs.front().missing_texts;
  if (missing.empty()) return;
  ++counts_.unmet;
  log_warning((line.required_place.empty() ? line.place : line.required_place) + ": the output lacks '" +
              joined(missing, "', '") + "'");
}

void Translator::verify(std::span<Translation* const> results) {
  std::vector<std::future<std::vector<Hypothesis>>> answers;
  std::vector<std::vector<int64_t>> sources;
  std::vector<const Hypothesis*> outputs;
  for (const Translation* result : results) sources.push_back(result->source.ids);
  for (const auto& batch : sentence_batches(sources, options_.batch_size, options_.max_batch_tokens)) {
    ScoringRequest request;
    for (const size_t i : batch)
      for (const auto& output : results[i]->outputs) {
        request.sources.push_back(sources[i]);
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
            tolerance_ * static_cast<double>(1 + given.tokens.size())))
        ++counts_.unequal;
      ++output;
    }
}

}  // namespace seq2seq
