#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "seq2seq/metrics/rouge_tokenizer.h"
#include "seq2seq/metrics/sentence_statistics.h"

namespace seq2seq {

enum class RougeType {
  rouge1,     ///< unigrams
  rouge2,     ///< bigrams
  rouge_l,    ///< longest common subsequence of the whole texts
  rouge_lsum  ///< union of the longest common subsequences of sentences, one per line
};
inline constexpr std::array all_rouge_types = {RougeType::rouge1, RougeType::rouge2, RougeType::rouge_l,
                                               RougeType::rouge_lsum};
/// "rouge1", "rouge2", "rougeL", "rougeLsum", in the order of the enumerators.
std::span<const char* const> option_names(RougeType);

/// Fractions, 0 to 1.
struct RougeScore {
  double precision = 0.0;
  double recall = 0.0;
  double fmeasure = 0.0;
};
/// One score for each of all_rouge_types, in that order.
using RougeScores = std::array<RougeScore, all_rouge_types.size()>;

/// ROUGE (Lin 2004), equal to the rouge-score package with the same tokenizer: of several references the one
/// with the best F-measure counts, for each type separately.
RougeScores sentence_rouge(const std::string& hypothesis, const std::vector<std::string>& references,
                           const RougeOptions& options = {});

/// Means over the sentences. Throws like check_parallel.
RougeScores corpus_rouge(const std::vector<std::string>& hypotheses, const ReferenceLists& references,
                         const RougeOptions& options = {});

/// The scores of every sentence, for means, resampling and listings.
std::vector<RougeScores> rouge_by_sentence(const std::vector<std::string>& hypotheses,
                                           const ReferenceLists& references,
                                           const RougeOptions& options = {});
RougeScores mean_rouge(const std::vector<RougeScores>& sentences);

/// Statistics for resampling the mean F-measure of one type.
SentenceStatistics rouge_statistics(const std::vector<RougeScores>& sentences, RougeType type);

/// "nrefs:1|tok:rouge-score|stem:yes|version:seq2seq-0.1.0"
std::string rouge_signature(const ReferenceLists& references, const RougeOptions& options = {});

}  // namespace seq2seq
