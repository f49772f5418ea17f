#include "seq2seq/study/study_metrics.h"

#include <c10/util/Exception.h>

#include <algorithm>

namespace seq2seq {
namespace {

std::vector<StudyMetric> all_study_metrics() {
  std::vector<StudyMetric> all;
  for (const Metric& metric : metrics()) {
    if (!metric.shown.studies) continue;
    all.push_back({key_of(metric), metric.title, &metric});
    if (all.back().name != "exact") continue;  // the two below follow it in results
    all.push_back({"rougeL_but_unseen", "ROUGE-L but for unseen words", &metric_named("rougeL"), true});
    all.push_back({"exact_but_unseen", "exact but for unseen words", &metric, true});
  }
  return all;
}

}  // namespace

const std::vector<StudyMetric>& study_metrics() {
  static const std::vector<StudyMetric> all = all_study_metrics();
  return all;
}

std::vector<std::string> study_metric_names() {
  std::vector<std::string> names;
  for (const StudyMetric& metric : study_metrics()) names.push_back(metric.name);
  return names;
}

const StudyMetric& study_metric(const std::string& name) {
  const auto& all = study_metrics();
  const auto found = std::find_if(all.begin(), all.end(), [&](auto& metric) { return metric.name == name; });
  TORCH_CHECK(found != all.end(), "no metric ", name);
  return *found;
}

}  // namespace seq2seq
