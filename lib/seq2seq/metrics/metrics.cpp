#include "seq2seq/metrics/metrics.h"

#include <algorithm>

#include "seq2seq/core/error.h"
#include "seq2seq/core/nearest_name.h"
#include "seq2seq/metrics/bleu.h"
#include "seq2seq/metrics/chrf.h"
#include "seq2seq/metrics/rouge.h"
#include "seq2seq/metrics/summary.h"
#include "seq2seq/metrics/ter.h"

namespace seq2seq {
namespace {

BleuOptions bleu_options(const ScoredTexts& texts) {
  return {.tokenizer = texts.options.tokenizer, .lowercase = texts.options.lowercase};
}

MetricDetails bleu_details(const ScoredTexts& texts, std::span<const double> sums) {
  const BleuScore bleu = bleu_of_sums(sums, bleu_options(texts));
  return {{"precisions", std::vector<double>(bleu.precisions.begin(), bleu.precisions.end())},
          {"brevity_penalty", bleu.brevity_penalty},
          {"ratio", bleu.ratio()},
          {"hypothesis_length", bleu.hypothesis_length},
          {"reference_length", bleu.reference_length},
          {"formatted", bleu.format()}};
}

template <int64_t word_order>
ChrfOptions chrf_options(const ScoredTexts& texts) {
  return {.word_order = word_order, .lowercase = texts.options.lowercase};
}

template <int64_t word_order>
constexpr Metric chrf_metric(const char* name, const char* title, MetricShown shown = {}) {
  return {.name = name,
          .title = title,
          .statistics =
              [](const ScoredTexts& t) {
                return chrf_statistics(t.hypotheses, t.references, chrf_options<word_order>(t));
              },
          .signature =
              [](const ScoredTexts& t) { return chrf_signature(t.references, chrf_options<word_order>(t)); },
          .details = [](const ScoredTexts& t, std::span<const double>) -> MetricDetails {
            return {{"name", chrf_name(chrf_options<word_order>(t))}};
          },
          .heeds = {.lowercase = true},
          .shown = shown};
}

constexpr MetricGroup rouge_group{"rouge", false}, summary_group{"summary", true};

RougeOptions rouge_options(const ScoredTexts& texts) {
  return {.stem = texts.options.stem, .tokenizer = texts.options.rouge_tokenizer};
}

struct RougeOfTexts {
  explicit RougeOfTexts(const ScoredTexts& t)
      : by_sentence(rouge_by_sentence(t.hypotheses, t.references, rouge_options(t))) {}
  std::vector<RougeScores> by_sentence;
};

template <RougeType type>
constexpr Metric rouge_metric(const char* name, const char* title, MetricShown shown = {}) {
  return {
      .name = name,
      .title = title,
      .scale = Scale::share,
      .statistics =
          [](const ScoredTexts& t) { return rouge_statistics(t.prepared<RougeOfTexts>().by_sentence, type); },
      .signature = [](const ScoredTexts& t) { return rouge_signature(t.references, rouge_options(t)); },
      .details = [](const ScoredTexts& t, std::span<const double>) -> MetricDetails {
        const auto mean = mean_rouge(t.prepared<RougeOfTexts>().by_sentence)[static_cast<size_t>(type)];
        return {{"precision", mean.precision}, {"recall", mean.recall}, {"fmeasure", mean.fmeasure}};
      },
      .heeds = {.stem = true, .rouge_tokenizer = true, .sentence_lines = true},
      .shown = shown,
      .group = &rouge_group};
}

struct HypothesisWords {
  explicit HypothesisWords(const ScoredTexts& t) : words(words_of(t.hypotheses)) {}
  std::vector<Words> words;
};
struct SourceWords {
  explicit SourceWords(const ScoredTexts& t) : words(words_of(t.sources)) {}
  std::vector<Words> words;
};
struct ReferenceWords {
  explicit ReferenceWords(const ScoredTexts& t) : words(words_of_references(t.references)) {}
  WordReferences words;
};

const std::vector<Words>& hypothesis_words(const ScoredTexts& texts) {
  return texts.prepared<HypothesisWords>().words;
}
const std::vector<Words>& source_words(const ScoredTexts& texts) {
  return texts.prepared<SourceWords>().words;
}
const WordReferences& reference_words(const ScoredTexts& texts) {
  return texts.prepared<ReferenceWords>().words;
}

/// A metric of the group `summary`.
constexpr Metric summary_metric(Metric metric) {
  metric.heeds.sentence_lines = true;
  metric.group = &summary_group;
  return metric;
}

constexpr MetricShown in_validation{.evaluate = false, .studies = false};
constexpr MetricShown in_evaluate{.validation = false, .studies = false};
constexpr MetricShown in_studies{.validation = false, .evaluate = false};
constexpr MetricShown not_in_validation{.validation = false};
constexpr MetricShown not_in_studies{.studies = false};

template <size_t order>
constexpr Metric repeated_metric(const char* name, const char* title, MetricShown shown = in_evaluate,
                                 const char* evaluate_key = nullptr) {
  return summary_metric(
      {.name = name,
       .title = title,
       .scale = Scale::share,
       .best = Best::lowest,
       .statistics = [](const ScoredTexts& t) { return repeated_ngrams(hypothesis_words(t), order); },
       .shown = shown,
       .evaluate_key = evaluate_key});
}

template <size_t order>
constexpr Metric novel_metric(const char* name, const char* title, MetricShown shown = in_evaluate,
                              const char* evaluate_key = nullptr) {
  return summary_metric(
      {.name = name,
       .title = title,
       .scale = Scale::share,
       .best = Best::none,
       .statistics =
           [](const ScoredTexts& t) { return novel_ngrams(hypothesis_words(t), source_words(t), order); },
       .needs = Needs::sources,
       .shown = shown,
       .evaluate_key = evaluate_key});
}

constexpr Metric metric_table[] = {
    {.name = "loss", .title = "loss", .scale = Scale::open, .best = Best::lowest, .shown = in_validation},
    {.name = "perplexity",
     .title = "perplexity",
     .scale = Scale::open,
     .best = Best::lowest,
     .shown = in_validation},
    {.name = "accuracy", .title = "accuracy", .shown = in_validation},
    {.name = "bleu",
     .title = "BLEU",
     .statistics =
         [](const ScoredTexts& t) { return bleu_statistics(t.hypotheses, t.references, bleu_options(t)); },
     .signature = [](const ScoredTexts& t) { return bleu_signature(t.references, bleu_options(t)); },
     .details = bleu_details,
     .heeds = {.tokenizer = true, .lowercase = true}},
    chrf_metric<0>("chrf", "chrF"),
    chrf_metric<2>("chrf++", "chrF++", not_in_studies),
    {.name = "ter",
     .title = "TER",
     .best = Best::lowest,
     .statistics = ter_statistics,
     .signature = ter_signature},
    rouge_metric<RougeType::rouge1>("rouge1", "ROUGE-1"),
    rouge_metric<RougeType::rouge2>("rouge2", "ROUGE-2"),
    rouge_metric<RougeType::rouge_l>("rougeL", "ROUGE-L"),
    rouge_metric<RougeType::rouge_lsum>("rougeLsum", "ROUGE-Lsum", not_in_studies),
    summary_metric(
        {.name = "exact",
         .title = "exact outputs",
         .scale = Scale::share,
         .statistics =
             [](const ScoredTexts& t) { return exact_matches(hypothesis_words(t), reference_words(t)); },
         .shown = not_in_validation,
         .evaluate_key = "exact_matches"}),
    summary_metric(
        {.name = "first-word",
         .title = "first word right",
         .scale = Scale::share,
         .statistics =
             [](const ScoredTexts& t) { return right_first_words(hypothesis_words(t), reference_words(t)); },
         .shown = in_studies}),
    repeated_metric<1>("repeated-1grams", "repeated words"),
    repeated_metric<2>("repeated-2grams", "repeated 2-grams"),
    repeated_metric<3>("repeated-3grams", "repeated 3-grams"),
    repeated_metric<4>("repetition", "repeated 4-grams", {}, "repeated_4grams"),
    summary_metric({.name = "repeated-sentences",
                    .title = "repeated sentences",
                    .scale = Scale::share,
                    .best = Best::lowest,
                    .statistics = [](const ScoredTexts& t) { return repeated_sentences(t.hypotheses); },
                    .shown = in_evaluate}),
    summary_metric(
        {.name = "length-ratio",
         .title = "length ratio",
         .scale = Scale::ratio,
         .best = Best::nearest_to_one,
         .statistics =
             [](const ScoredTexts& t) { return length_ratio(hypothesis_words(t), reference_words(t)); }}),
    novel_metric<1>("novel-1grams", "novel words"),
    novel_metric<2>("novelty", "novel 2-grams", not_in_studies, "novel_2grams"),
    novel_metric<3>("novel-3grams", "novel 3-grams"),
    novel_metric<4>("novel-4grams", "novel 4-grams"),
    summary_metric(
        {.name = "copy-rate",
         .title = "copied words",
         .scale = Scale::share,
         .best = Best::none,
         .statistics = [](const ScoredTexts& t) { return copy_rate(hypothesis_words(t), source_words(t)); },
         .needs = Needs::sources,
         .shown = not_in_studies}),
    summary_metric({.name = "recovered-words",
                    .title = "unseen words kept",
                    .scale = Scale::share,
                    .statistics =
                        [](const ScoredTexts& t) {
                          return recovered_words(t.hypotheses, t.references, t.sources, *t.codec);
                        },
                    .details = [](const ScoredTexts&, std::span<const double> sums) -> MetricDetails {
                      return {{"words_to_recover", static_cast<int64_t>(sums[1])}};
                    },
                    .needs = Needs::codec,
                    .applies = [](std::span<const double> sums) { return sums[1] > 0; },
                    .otherwise = "the vocabulary holds every word of the targets"}),
};

}  // namespace

std::span<const Metric> metrics() {
  return metric_table;
}

const Metric& metric_named(std::string_view name) {
  std::string wanted(name);
  std::replace(wanted.begin(), wanted.end(), '_', '-');
  std::vector<std::string> names;
  for (const Metric& metric : metric_table) {
    if (metric.name == wanted) return metric;
    names.emplace_back(metric.name);
  }
  throw Error("'" + std::string(name) + "'", "is no metric", suggest_name(wanted, names));
}

std::string key_of(const Metric& metric) {
  std::string key = metric.name;
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

bool can_score(const Metric& metric, const ScoredTexts& texts) {
  if (!metric.of_texts()) return false;
  if (metric.needs != Needs::references && texts.sources.empty()) return false;
  return metric.needs != Needs::codec || texts.codec;
}

std::string signatures_of(const std::vector<const Metric*>& metrics, const ScoredTexts& texts) {
  std::string all, last;
  for (const Metric* metric : metrics) {
    if (metric->signature == nullptr) continue;
    const std::string signature = metric->signature(texts);
    if (signature == last) {
      all.insert(all.size() - last.size() - 1, std::string(", ") + metric->name);
      continue;
    }
    all += (all.empty() ? "" : "; ") + std::string(metric->name) + " " + signature;
    last = signature;
  }
  return all;
}

double score_of(const Metric& metric, const ScoredTexts& texts) {
  if (!can_score(metric, texts))
    throw Error(metric.name, "needs more than texts and references",
                "give their sources and the model's codec");
  const SentenceStatistics statistics = metric.statistics(texts);
  return statistics.score(statistics.sums());
}

}  // namespace seq2seq
