#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "seq2seq/metrics/bleu_tokenizer.h"
#include "seq2seq/metrics/sentence_statistics.h"

namespace seq2seq {

struct BleuOptions {
  BleuTokenizer tokenizer = BleuTokenizer::v13a;
  bool lowercase = false;
  /// Averages only over the orders of which the hypothesis has n-grams; for single sentences.
  bool effective_order = false;
};

/// BLEU (Papineni et al. 2002), 0 to 100, with its components; equal to sacrebleu 2.
struct BleuScore {
  static constexpr size_t orders = 4;

  double score = 0.0;
  std::array<double, orders> precisions{};  ///< percent, smoothed
  std::array<int64_t, orders> matches{};    ///< n-grams found in a reference, clipped
  std::array<int64_t, orders> totals{};     ///< n-grams of the hypotheses
  double brevity_penalty = 0.0;
  int64_t hypothesis_length = 0;  ///< words
  int64_t reference_length = 0;   ///< words of the reference closest in length to each hypothesis

  double ratio() const;
  /// "BLEU = 34.51 65.2/42.1/28.4/18.9 (BP = 1.000 ratio = 1.002 hyp_len = 12103 ref_len = 12080)"
  std::string format() const;
};

/// Counts are summed over the corpus. The first order without a match counts as 1/2 of a match, the second as
/// 1/4, and so on (smoothing "exp", Chen and Cherry 2014, method 3). Throws like check_parallel.
BleuScore corpus_bleu(const std::vector<std::string>& hypotheses, const ReferenceLists& references,
                      const BleuOptions& options = {});

/// BLEU of a single sentence, with effective order.
BleuScore sentence_bleu(const std::string& hypothesis, const std::vector<std::string>& references,
                        BleuOptions options = {});

/// "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:seq2seq-0.1.0": the settings of a score.
std::string bleu_signature(const ReferenceLists& references, const BleuOptions& options = {});

SentenceStatistics bleu_statistics(const std::vector<std::string>& hypotheses,
                                   const ReferenceLists& references, const BleuOptions& options = {});
/// BLEU with its components, from sums of these statistics.
BleuScore bleu_of_sums(std::span<const double> sums, const BleuOptions& options = {});

}  // namespace seq2seq
