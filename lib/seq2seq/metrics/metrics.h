#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "seq2seq/metrics/scored_texts.h"
#include "seq2seq/metrics/sentence_statistics.h"

namespace seq2seq {

/// The range of a metric's values.
enum class Scale {
  percent,  ///< 0 to 100
  share,    ///< 0 to 1; reports show them times 100
  ratio,    ///< 0 or more, ideally 1
  open      ///< 0 or more
};

enum class Best { highest, lowest, nearest_to_one, none };

/// What a metric compares texts with; each value includes those before it.
enum class Needs { references, sources, codec };

/// Metrics that `evaluate` offers and writes under one name.
struct MetricGroup {
  const char* name;
  /// Whether a metric is written as a number and resampling apart; otherwise it is an object of its details.
  bool numbers;
};

/// Further values in the output of `evaluate` for a score, by key.
using MetricDetails =
    std::vector<std::pair<std::string, std::variant<double, int64_t, std::string, std::vector<double>>>>;

/// The settings that change a metric's values.
struct MetricHeeds {
  bool tokenizer = false, lowercase = false, stem = false, rouge_tokenizer = false;  ///< of MetricOptions
  bool sentence_lines = false;  ///< whether each sentence is on its own line
};

/// Where a metric is offered.
struct MetricShown {
  bool validation = true, evaluate = true, studies = true;
};

/// One row of the table of metrics: all that validation, `evaluate` and studies know of a metric.
struct Metric {
  const char* name;   ///< "length-ratio" in options and logs; key_of in other JSON
  const char* title;  ///< "length ratio" in reports
  Scale scale = Scale::percent;
  Best best = Best::highest;
  /// Null for loss, perplexity and accuracy, which validation computes from the model's predictions.
  SentenceStatistics (*statistics)(const ScoredTexts&) = nullptr;
  /// The settings of a score, "nrefs:1|case:mixed|..."; null = none.
  std::string (*signature)(const ScoredTexts&) = nullptr;
  /// `sums` are those of its statistics. Null = only a score.
  MetricDetails (*details)(const ScoredTexts&, std::span<const double> sums) = nullptr;
  Needs needs = Needs::references;
  MetricHeeds heeds = {};
  MetricShown shown = {};
  const MetricGroup* group = nullptr;  ///< null = `evaluate` offers it under its own name
  const char* evaluate_key = nullptr;  ///< key in its group; null = that of key_of
  /// Whether there was anything to score in texts with these sums (null = always), and the message if not.
  bool (*applies)(std::span<const double> sums) = nullptr;
  const char* otherwise = nullptr;

  bool of_texts() const { return statistics != nullptr; }
};

/// The table, in the order in which metrics are listed.
std::span<const Metric> metrics();

/// Accepts hyphens and underscores. Throws Error for an unknown name, with the nearest one.
const Metric& metric_named(std::string_view name);

/// "length_ratio": its name as a JSON key.
std::string key_of(const Metric& metric);

/// Whether the texts include what the metric needs.
bool can_score(const Metric& metric, const ScoredTexts& texts);

/// "bleu nrefs:1|...; rouge1, rougeL nrefs:1|...": the signatures of those metrics that have one.
std::string signatures_of(const std::vector<const Metric*>& metrics, const ScoredTexts& texts);

/// The score over all texts. Throws Error if they lack what the metric needs.
double score_of(const Metric& metric, const ScoredTexts& texts);

}  // namespace seq2seq
