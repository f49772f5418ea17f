#include "seq2seq/train/validation_scoring.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "seq2seq/core/error.h"
#include "seq2seq/core/log.h"
#include "seq2seq/metrics/reference_check.h"

namespace seq2seq {

bool ValidationScoring::is_silent(const std::string& metric) const {
  return std::any_of(silent.begin(), silent.end(), [&](const Metric* one) { return one->name == metric; });
}

ValidationScoring settled_scoring(const ValidationOptions& options, const ReferenceLists& references,
                                  bool lowercase) {
  ValidationScoring scoring;
  scoring.metrics = wanted_metrics(options);
  scoring.options.lowercase = lowercase;
  if (options.heeds(&MetricHeeds::tokenizer))
    scoring.options.tokenizer = BleuTokenizer::named(options.bleu_tokenizer);
  if (options.heeds(&MetricHeeds::rouge_tokenizer))
    scoring.options.rouge_tokenizer = settled(options.rouge_tokenizer, references);
  std::copy_if(scoring.metrics.begin(), scoring.metrics.end(), std::back_inserter(scoring.silent),
               [&](const Metric* metric) { return !can_rise(*metric, references, scoring.options); });
  scoring.criterion_is_silent = scoring.is_silent(options.criterion);
  scoring.decisive = &metric_named(scoring.criterion_is_silent ? "perplexity" : options.criterion);
  std::vector<std::string> first;
  for (const auto& texts : references) first.push_back(texts.front());
  scoring.signatures =
      signatures_of(scoring.metrics, ScoredTexts(std::move(first), references, {}, nullptr, scoring.options));
  return scoring;
}

void refuse_empty_references(const ValidationOptions& options, const ReferenceLists& references) {
  const RougeTokenizer named = options.rouge_tokenizer;
  if (named == RougeTokenizer::automatic || !options.heeds(&MetricHeeds::rouge_tokenizer)) return;
  const size_t empty = sentences_without_words(references, named);
  if (2 * empty <= references.size()) return;
  throw UsageError(
      "--valid-rouge-tokenize",
      fmt::format("{} finds no word in {} of {} references", option_name(named), empty, references.size()),
      named == RougeTokenizer::rouge_score ? "give auto, unicode or char" : "give char");
}

void tell_scoring(const ValidationScoring& scoring, const ValidationOptions& options,
                  const ReferenceLists& references, bool begins) {
  if (!scoring.signatures.empty()) log_info("scores: " + scoring.signatures);
  if (begins && options.rouge_tokenizer == RougeTokenizer::automatic &&
      options.heeds(&MetricHeeds::rouge_tokenizer))
    if (const std::string remark = remark_on_automatic(references, "--valid-"); !remark.empty())
      log_warning(remark);
  for (const std::string& remark : remarks_on(scoring.metrics, references, scoring.options, "--valid-"))
    log_warning(remark);
  if (scoring.criterion_is_silent)
    log_warning(
        fmt::format("{} does not decide: perplexity chooses `best`, and --patience does not end the run",
                    options.criterion));
}

}  // namespace seq2seq
