#include "seq2seq/metrics/bootstrap.h"

#include <gtest/gtest.h>

#include "reference_cases.h"
#include "seq2seq/core/error.h"
#include "seq2seq/metrics/bleu.h"
#include "seq2seq/metrics/chrf.h"

namespace seq2seq {
namespace {

SentenceStatistics statistics_of(const std::string& metric, const std::vector<std::string>& hypotheses,
                                 const ReferenceLists& references) {
  if (metric == "bleu") return bleu_statistics(hypotheses, references);
  return chrf_statistics(hypotheses, references, chrf_plus_plus());
}

TEST(Bootstrap, EqualsSacrebleusFormulasOnTheSameDraws) {
  const Json reference = test::read_reference("bootstrap");
  const auto texts = test::read_pairs(reference.at("pairs"));
  ASSERT_EQ(reference.at("cases").size(), 12u);
  for (const auto& expected : reference.at("cases")) {
    const auto metric = expected.at("metric").get<std::string>();
    SCOPED_TRACE(metric + " against " + expected.at("baseline_name").get<std::string>());
    const auto system = statistics_of(metric, texts.hypotheses, texts.references);
    const auto baseline =
        statistics_of(metric, expected.at("baseline").get<std::vector<std::string>>(), texts.references);
    const BootstrapOptions options{expected.at("samples"), expected.at("seed")};
    const auto actual = paired_bootstrap(system, baseline, options);
    const auto number = [&](const char* name) { return expected.at(name).get<double>(); };
    EXPECT_NEAR(actual.system.score, number("score"), 1e-9);
    EXPECT_NEAR(actual.baseline.score, number("baseline_score"), 1e-9);
    EXPECT_NEAR(actual.system.mean, number("mean"), 1e-9);
    EXPECT_NEAR(actual.system.half_width, number("half_width"), 1e-9);
    EXPECT_NEAR(actual.baseline.mean, number("baseline_mean"), 1e-9);
    EXPECT_NEAR(actual.baseline.half_width, number("baseline_half_width"), 1e-9);
    // sacrebleu calls equal scores significantly different.
    const bool equal = number("score") == number("baseline_score");
    EXPECT_NEAR(actual.p_value, equal ? 1.0 : number("p_value"), 1e-12);
    EXPECT_NEAR(actual.win_share, number("win_share"), 1e-12);
    EXPECT_NEAR(bootstrap_interval(system, options).mean, number("mean"), 1e-9);
    EXPECT_NEAR(0.5 * (actual.system.high - actual.system.low), number("half_width"), 1e-9);
    EXPECT_LT(actual.system.low, actual.system.mean);
  }
}

TEST(Bootstrap, ASystemDoesNotBeatItself) {
  const auto texts = test::read_pairs(test::read_reference("bootstrap").at("pairs"));
  const auto system = bleu_statistics(texts.hypotheses, texts.references);
  const auto comparison = paired_bootstrap(system, system, {100, 1});
  EXPECT_EQ(comparison.win_share, 0.0);
  EXPECT_EQ(comparison.p_value, 1.0);
  EXPECT_LT(comparison.system.low, comparison.system.high);
}

TEST(Bootstrap, SeedDecides) {
  const auto texts = test::read_pairs(test::read_reference("bootstrap").at("pairs"));
  const auto system = bleu_statistics(texts.hypotheses, texts.references);
  EXPECT_EQ(bootstrap_interval(system, {50, 1}).mean, bootstrap_interval(system, {50, 1}).mean);
  EXPECT_NE(bootstrap_interval(system, {50, 1}).mean, bootstrap_interval(system, {50, 2}).mean);
}

TEST(Bootstrap, RefusesDifferentTestSets) {
  const auto two = bleu_statistics({"a", "b"}, {{"a"}, {"b"}}), one = bleu_statistics({"a"}, {{"a"}});
  EXPECT_THROW(paired_bootstrap(two, one), Error);
  EXPECT_THROW(bootstrap_interval(SentenceStatistics{}), Error);
  EXPECT_THROW(bootstrap_interval(two, {0, 1}), Error);
}

}  // namespace
}  // namespace seq2seq
