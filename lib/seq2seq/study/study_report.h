#pragma once

// Not installed.

#include <map>
#include <string>
#include <vector>

#include "seq2seq/study/study_result.h"

namespace seq2seq {

/// What was measured of each run, a result a seed: those of measure_run, and under "conditions" a sentence
/// for the page about where and when.
using StudyResults = std::map<std::string, std::vector<Json>>;

struct StudyReport {
  std::string html;                            ///< a page that needs nothing else
  Json json;                                   ///< everything in it and more, by run and seed
  std::map<std::string, std::string> figures;  ///< its line charts as .svg files, by name
};

StudyReport study_report(const Study& study, const StudyResults& results);

}  // namespace seq2seq
