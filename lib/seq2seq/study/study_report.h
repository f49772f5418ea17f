#pragma once

// Not installed.

#include <map>
#include <string>
#include <vector>

#include "seq2seq/study/study_result.h"

namespace seq2seq {

/// The results of each run, one per seed: those of measure_run and, as "conditions", a sentence about where
/// and when they were obtained.
using StudyResults = std::map<std::string, std::vector<Json>>;

struct StudyReport {
  std::string html;                            ///< a self-contained page
  Json json;                                   ///< the same values and more, by run and seed
  std::map<std::string, std::string> figures;  ///< its line charts: .svg files by name
};

StudyReport study_report(const Study& study, const StudyResults& results);

}  // namespace seq2seq
