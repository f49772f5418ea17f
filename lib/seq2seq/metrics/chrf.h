#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "seq2seq/metrics/sentence_statistics.h"

namespace seq2seq {

/// Orders (6, 0) are chrF, (6, 2) chrF++.
struct ChrfOptions {
  int64_t character_order = 6;
  int64_t word_order = 0;
  double beta = 2.0;  ///< recall counts beta^2 times as much as precision
  bool lowercase = false;
};
ChrfOptions chrf_plus_plus();

/// chrF (Popovic 2015) and chrF++ (Popovic 2017), 0 to 100: F-score of character and word n-grams, white
/// space left out; precision and recall are averaged over the orders that occur on both sides. Counts are
/// summed over the corpus, those of each sentence against the reference with the best score. Equal to
/// sacrebleu 2. Throws like check_parallel.
double corpus_chrf(const std::vector<std::string>& hypotheses, const ReferenceLists& references,
                   const ChrfOptions& options = {});
double sentence_chrf(const std::string& hypothesis, const std::vector<std::string>& references,
                     const ChrfOptions& options = {});

/// "chrF2", "chrF2++".
std::string chrf_name(const ChrfOptions& options);
/// "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:seq2seq-0.1.0"
std::string chrf_signature(const ReferenceLists& references, const ChrfOptions& options = {});

SentenceStatistics chrf_statistics(const std::vector<std::string>& hypotheses,
                                   const ReferenceLists& references, const ChrfOptions& options = {});

}  // namespace seq2seq
