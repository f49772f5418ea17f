#pragma once

// Not installed.

#include <string>
#include <vector>

#include "seq2seq/metrics/metrics.h"

namespace seq2seq {

/// What a study measures of outputs: metrics of their texts, or of the numbers of their tokens, where all
/// words that the vocabulary lacks are alike.
struct StudyMetric {
  std::string name;   ///< "length_ratio"
  std::string title;  ///< for people
  const Metric* metric;
  bool of_numbers = false;
};

const std::vector<StudyMetric>& study_metrics();
std::vector<std::string> study_metric_names();
const StudyMetric& study_metric(const std::string& name);

}  // namespace seq2seq
