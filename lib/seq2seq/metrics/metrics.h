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

/// What a metric's values are.
enum class Scale {
  percent,  ///< 0 to 100
  share,    ///< 0 to 1; reports show them times 100
  ratio,    ///< from 0, of like things: near 1
  open      ///< from 0
};

enum class Best { highest, lowest, nearest_to_one, none };

/// What a metric compares texts with, beside what stands before it.
enum class Needs { references, sources, codec };

/// Metrics that `evaluate` offers and writes under one name.
struct MetricGroup {
  const char* name;
  /// Each metric is a number, and resampling stands apart; otherwise each is an object of its details.
  bool numbers;
};

/// What stands beside a score in the output of `evaluate`, by its key.
using MetricDetails =
    std::vector<std::pair<std::string, std::variant<double, int64_t, std::string, std::vector<double>>>>;

/// What changes a metric's values.
struct MetricHeeds {
  bool tokenizer = false, lowercase = false, stem = false;  ///< of MetricOptions
  bool sentence_lines = false;                              ///< whether sentences stand on lines of their own
};

/// Where a metric is offered.
struct MetricShown {
  bool validation = true, evaluate = true, studies = true;
};

/// One row of the table of metrics: all that validation, `evaluate` and studies know of a metric.
struct Metric {
  const char* name;   ///< in options and logs: "length-ratio"; as key_of has it in other JSON
  const char* title;  ///< for people: "length ratio"
  Scale scale = Scale::percent;
  Best best = Best::highest;
  /// Null of what is no metric of texts: validation measures what a model says of the targets.
  SentenceStatistics (*statistics)(const ScoredTexts&) = nullptr;
  /// The settings that made the score: "nrefs:1|case:mixed|..."; null = there are none.
  std::string (*signature)(const ScoredTexts&) = nullptr;
  /// `sums` are those of its statistics. Null = a score alone.
  MetricDetails (*details)(const ScoredTexts&, std::span<const double> sums) = nullptr;
  Needs needs = Needs::references;
  MetricHeeds heeds = {};
  MetricShown shown = {};
  const MetricGroup* group = nullptr;  ///< null = `evaluate` offers it by its own name
  const char* evaluate_key = nullptr;  ///< in its group; null = as key_of has it
  /// Whether texts with these sums had anything to be scored, and what is so when they had not; null =
  /// always.
  bool (*applies)(std::span<const double> sums) = nullptr;
  const char* otherwise = nullptr;

  bool of_texts() const { return statistics != nullptr; }
};

/// The table, in the order in which metrics are listed.
std::span<const Metric> metrics();

/// Throws Error for an unknown name, with the likely one.
const Metric& metric_named(std::string_view name);

/// "length_ratio": its name as a key of JSON.
std::string key_of(const Metric& metric);

/// Whether the texts come with what the metric needs.
bool can_score(const Metric& metric, const ScoredTexts& texts);

/// Over all texts. Throws Error when they lack what the metric needs.
double score_of(const Metric& metric, const ScoredTexts& texts);

}  // namespace seq2seq
