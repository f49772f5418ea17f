#pragma once

// Not installed.

#include <string>
#include <vector>

#include "seq2seq/metrics/metrics.h"

namespace seq2seq {

/// A metric of outputs in a study, computed from their texts or from their token ids. Among the ids, all
/// tokens outside the vocabulary are the same.
struct StudyMetric {
  std::string name;   ///< "length_ratio"
  std::string title;  ///< shown in the report
  const Metric* metric;
  bool of_numbers = false;
};

const std::vector<StudyMetric>& study_metrics();
std::vector<std::string> study_metric_names();
const StudyMetric& study_metric(const std::string& name);

}  // namespace seq2seq
