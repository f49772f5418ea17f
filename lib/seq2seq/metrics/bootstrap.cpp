#include "seq2seq/metrics/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "seq2seq/core/error.h"
#include "seq2seq/core/random.h"

namespace seq2seq {
namespace {

std::vector<double> sample_scores(const SentenceStatistics& statistics, const BootstrapOptions& options) {
  if (statistics.sentences() == 0) throw Error("bootstrap", "there are no sentences", "give at least one");
  if (options.samples < 1)
    throw Error("bootstrap", std::to_string(options.samples) + " samples asked for", "ask for at least 1");
  std::vector<double> scores, sums(statistics.width);
  scores.reserve(static_cast<size_t>(options.samples));
  for (int64_t sample = 0; sample < options.samples; ++sample) {
    Random random(mix_seed({options.seed, static_cast<uint64_t>(sample)}));
    std::fill(sums.begin(), sums.end(), 0.0);
    for (size_t drawn = 0; drawn < statistics.sentences(); ++drawn) {
      const auto sentence = statistics.sentence(random.below(statistics.sentences()));
      for (size_t k = 0; k < sums.size(); ++k) sums[k] += sentence[k];
    }
    scores.push_back(statistics.score(sums));
  }
  return scores;
}

BootstrapInterval summarize(const SentenceStatistics& statistics, std::vector<double> scores) {
  std::sort(scores.begin(), scores.end());
  const size_t cut = scores.size() / 40;  // 2.5 % on either side
  BootstrapInterval result;
  result.score = statistics.score(statistics.sums());
  result.mean = std::accumulate(scores.begin(), scores.end(), 0.0) / static_cast<double>(scores.size());
  result.low = scores[cut];
  result.high = scores[scores.size() - cut - 1];
  result.half_width = 0.5 * (result.high - result.low);
  return result;
}

}  // namespace

BootstrapInterval bootstrap_interval(const SentenceStatistics& system, const BootstrapOptions& options) {
  return summarize(system, sample_scores(system, options));
}

BootstrapComparison paired_bootstrap(const SentenceStatistics& system, const SentenceStatistics& baseline,
                                     const BootstrapOptions& options) {
  if (system.sentences() != baseline.sentences())
    throw Error("bootstrap",
                "the system has " + std::to_string(system.sentences()) + " sentences, the baseline " +
                    std::to_string(baseline.sentences()),
                "give outputs for the same test set");
  const auto system_scores = sample_scores(system, options),
             baseline_scores = sample_scores(baseline, options);
  BootstrapComparison result;
  result.system = summarize(system, system_scores);
  result.baseline = summarize(baseline, baseline_scores);

  const size_t samples = system_scores.size();
  std::vector<double> differences(samples);
  size_t wins = 0;
  for (size_t i = 0; i < samples; ++i) {
    differences[i] = std::abs(system_scores[i] - baseline_scores[i]);
    if (system_scores[i] > baseline_scores[i]) ++wins;
  }
  const double mean =
      std::accumulate(differences.begin(), differences.end(), 0.0) / static_cast<double>(samples);
  const double observed = std::abs(result.system.score - result.baseline.score);
  const auto exceeding = std::count_if(differences.begin(), differences.end(),
                                       [&](double difference) { return difference - mean > observed; });
  // No difference is less than what chance brings.
  result.p_value =
      observed == 0 ? 1.0 : static_cast<double>(exceeding + 1) / static_cast<double>(samples + 1);
  result.win_share = static_cast<double>(wins) / static_cast<double>(samples);
  return result;
}

}  // namespace seq2seq
