#pragma once

#include <cstdint>

#include "seq2seq/metrics/sentence_statistics.h"

namespace seq2seq {

struct BootstrapOptions {
  int64_t samples = 1000;
  uint64_t seed = 12345;
};

/// The score of a system on the test set, and how it varies over samples of the test set.
struct BootstrapInterval {
  double score = 0.0;
  double mean = 0.0;  ///< over the samples
  double low = 0.0;   ///< 95 % of the samples lie from `low` to `high`
  double high = 0.0;
  double half_width = 0.0;  ///< (high - low) / 2, the "±" of sacrebleu
};

struct BootstrapComparison {
  BootstrapInterval system, baseline;
  /// The probability of such a difference by chance: (1 + c) / (1 + samples), where c is the number of
  /// samples whose |difference| exceeds the mean |difference| by more than that of the whole test set. 1
  /// where the scores are equal.
  double p_value = 1.0;
  double win_share = 0.0;  ///< share of the samples in which the system scores higher
};

/// Resampling of sentences with replacement (Koehn 2004), with the interval and p-value of sacrebleu 2.
/// Results differ from sacrebleu's by the p-value of equal scores, by the random draws (sample k uses
/// splitmix64 seeded with (seed, k), not numpy's PCG64) and by sums in double instead of float. With the same seed, all systems and metrics see
/// the same samples. Throws Error if there are no sentences or the systems have different numbers of them.
BootstrapInterval bootstrap_interval(const SentenceStatistics& system, const BootstrapOptions& options = {});
BootstrapComparison paired_bootstrap(const SentenceStatistics& system, const SentenceStatistics& baseline,
                                     const BootstrapOptions& options = {});

}  // namespace seq2seq
