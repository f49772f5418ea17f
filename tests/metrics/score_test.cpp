#include "seq2seq/metrics/score.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "reference_cases.h"

namespace seq2seq {
namespace {

// The first case of every file is the same corpus, so the recorded default settings can be looked up by name.
double recorded(const std::string& metric) {
  const std::string file = metric.starts_with("chrf")    ? "chrf"
                           : metric.starts_with("rouge") ? "rouge"
                                                         : "bleu";
  const Json reference = test::read_reference(file);
  for (const auto& score : reference.at("cases").at(0).at("scores")) {
    if (file == "rouge" && score.at("stem") == true) return score.at(metric).at("fmeasure");
    if (file == "rouge" || score.at("lowercase") == true) continue;
    if (file == "bleu" && score.at("tokenizer") == "13a") return score.at("score");
    if (file == "chrf" && score.at("word_order") == (metric == "chrf++" ? 2 : 0)) return score.at("score");
  }
  return -1.0;
}

TEST(ScoreCorpus, EveryNameGivesItsMetricWithUsualSettings) {
  const auto texts = test::read_pairs(test::read_reference("bleu").at("cases").at(0).at("pairs"));
  const auto names = option_names(MetricName{});
  ASSERT_EQ(names.size(), 7u);
  for (size_t i = 0; i < names.size(); ++i) {
    const auto metric = static_cast<MetricName>(i);
    EXPECT_NEAR(score_corpus(metric, texts.hypotheses, texts.references), recorded(names[i]), 1e-9)
        << names[i];
  }
}

TEST(ScoreCorpus, AcceptsOneReferenceASentence) {
  const std::vector<std::string> hypotheses{"a b c d e", "f g h"}, references{"a b c d x", "f g h"};
  EXPECT_EQ(score_corpus(MetricName::bleu, hypotheses, references),
            score_corpus(MetricName::bleu, hypotheses, ReferenceLists{{references[0]}, {references[1]}}));
}

TEST(ScoreCorpus, BetterTextScoresOnTheBetterSide) {
  const std::vector<std::string> references{"the small dog sleeps under the table", "it rains"};
  std::vector<std::string> worse = references;
  worse[0] = "the small cat sleeps on the table";
  for (size_t i = 0; i < option_names(MetricName{}).size(); ++i) {
    const auto metric = static_cast<MetricName>(i);
    const bool larger =
        score_corpus(metric, references, references) > score_corpus(metric, worse, references);
    EXPECT_EQ(larger, larger_is_better(metric)) << option_names(metric)[i];
  }
}

}  // namespace
}  // namespace seq2seq
