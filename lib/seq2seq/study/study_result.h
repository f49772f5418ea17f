#pragma once

// Not installed: the measurements of one trained run.

#include <c10/core/Device.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "seq2seq/core/json.h"
#include "seq2seq/decode/source_lines.h"
#include "seq2seq/metrics/scored_texts.h"
#include "seq2seq/study/study.h"

namespace seq2seq {

/// The text that the models of a study are tested on.
struct TestText {
  /// Throws Error if no pair has words on both sides.
  explicit TestText(const CorpusFiles& files);
  Corpus corpus;
  std::vector<SourceLine> lines;
  std::vector<std::string> sources;
  std::vector<int64_t> lengths;  ///< of the sources, in words
  ReferenceLists references;
};

/// How outputs are scored: with the study's tokenizers, settled on the references, and in lower case if a model
/// writes lowercased text. Logs what this means where it says less than it seems to. Throws Error if a
/// tokenizer's file cannot be read.
MetricOptions scoring_of(const Study& study, const TestText& text);

/// Translates `text` with the run's best checkpoint on `device` and scores it, overall and by source length;
/// adds size, speed, memory, learning curve and gradient flow, and, if requested, heat maps of some examples
/// as HTML. `outputs` receives the translation of each line.
Json measure_run(const Study& study, const TestText& text, const MetricOptions& scoring,
                 const std::filesystem::path& run, const c10::Device& device, bool with_examples,
                 std::vector<std::string>& outputs);

/// The value of one of study_metrics(), with `where` as in Study::Claim. Nothing if it does not apply to the
/// text, or the result is of a version without the metric.
std::optional<double> value_of(const Json& result, const std::string& metric,
                               const std::string& where = "all");
std::optional<double> value_of_group(const Json& result, const std::string& metric, size_t group);

/// Mean and standard deviation over the seeds of a run.
struct Spread {
  double mean = 0, deviation = 0;  ///< sample standard deviation, 0 for one value
  size_t count = 0;
};
Spread spread_of(const std::vector<double>& values);

/// A claim checked on the results of its two runs, seed by seed.
struct Verdict {
  std::vector<double> differences;  ///< higher - lower
  Spread spread;
  /// "holds" if true for every seed, "does not hold" if for none, otherwise "unclear"; without any difference
  /// "cannot be told from this text".
  std::string text;
};
Verdict judge(const Study::Claim& claim, const std::vector<Json>& higher, const std::vector<Json>& lower);

}  // namespace seq2seq
