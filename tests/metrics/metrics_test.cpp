#include "seq2seq/metrics/metrics.h"

#include <gmock/gmock.h>

#include <set>

#include "reference_cases.h"
#include "seq2seq/core/error.h"
#include "seq2seq/text/text_codec.h"

namespace seq2seq {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

// The recorded score of a metric with default settings. The first case of every file is the same corpus.
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

ScoredTexts recorded_texts(const MetricOptions& options = {}) {
  const auto pairs = test::read_pairs(test::read_reference("bleu").at("cases").at(0).at("pairs"));
  return {pairs.hypotheses, pairs.references, {}, nullptr, options};
}

/// A codec with the vocabulary a, b.
std::shared_ptr<const TextCodec> small_codec() {
  return std::make_shared<const TextCodec>(WordTokenizerOptions{}, NormalizationOptions{}, "",
                                           Vocabulary({"a", "b"}));
}

TEST(Metrics, HaveUsualSettings) {
  const ScoredTexts texts = recorded_texts();
  for (const char* name : {"bleu", "chrf", "chrf++", "rouge1", "rouge2", "rougeL", "rougeLsum"})
    EXPECT_NEAR(score_of(metric_named(name), texts), recorded(name), 1e-9) << name;
}

TEST(Metrics, GiveTheirFigures) {
  const ScoredTexts texts({"a b a b a b K", "b"}, {{"a K b"}, {"a Q"}}, {"a b K", "b a Q"}, small_codec());
  const std::map<std::string, double> expected{
      {"exact", 0.0},          {"first-word", 1.0 / 2},     {"repeated-1grams", 4.0 / 8},
      {"repetition", 1.0 / 4}, {"repeated-sentences", 0.0}, {"length-ratio", 8.0 / 5},
      {"novel-1grams", 0.0},   {"novelty", 1.0 / 3},        {"copy-rate", 1.0},
      {"recovered-words", 0.5}};
  for (const auto& [name, score] : expected)
    EXPECT_DOUBLE_EQ(score_of(metric_named(name), texts), score) << name;
}

TEST(Metrics, BetterTextScoresOnTheBetterSide) {
  const ReferenceLists references{{"the small dog sleeps under the table"}, {"it rains"}};
  const ScoredTexts right({references[0][0], references[1][0]}, references),
      wrong({"a small cat sleeps on a table", references[1][0]}, references);
  for (const Metric& metric : metrics()) {
    if (!can_score(metric, right) || (metric.group && metric.group->numbers)) continue;
    EXPECT_EQ(score_of(metric, right) > score_of(metric, wrong), metric.best == Best::highest) << metric.name;
    EXPECT_NE(score_of(metric, right), score_of(metric, wrong)) << metric.name;
  }
}

TEST(Metrics, HeedTheSettingsThatTheyName) {
  MetricOptions cut, lowercase, words, runs;
  runs.rouge_tokenizer = RougeTokenizer::character;
  cut.tokenizer = BleuTokenizer::character;
  lowercase.lowercase = true;
  words.stem = false;
  const ScoredTexts usual = recorded_texts();
  for (const Metric& metric : metrics()) {
    if (!can_score(metric, usual)) continue;
    const auto changes = [&](const MetricOptions& options) {
      const ScoredTexts texts = recorded_texts(options);
      return metric.statistics(texts).values != metric.statistics(usual).values;
    };
    EXPECT_EQ(changes(cut), metric.heeds.tokenizer) << metric.name;
    EXPECT_EQ(changes(lowercase), metric.heeds.lowercase) << metric.name;
    EXPECT_EQ(changes(words), metric.heeds.stem) << metric.name;
    EXPECT_EQ(changes(runs), metric.heeds.rouge_tokenizer) << metric.name;
  }
}

TEST(Metrics, SaySettingsAndDetails) {
  const ScoredTexts texts = recorded_texts({.lowercase = true});
  const auto signature = [&](const char* name) { return metric_named(name).signature(texts); };
  EXPECT_THAT(signature("bleu"), HasSubstr("nrefs:1|case:lc|eff:no|tok:13a"));
  EXPECT_THAT(signature("chrf++"), HasSubstr("case:lc|eff:yes|nc:6|nw:2"));
  EXPECT_THAT(signature("rougeL"), HasSubstr("tok:rouge-score|stem:yes"));
  EXPECT_EQ(signatures_of({&metric_named("perplexity"), &metric_named("bleu"), &metric_named("rouge1"),
                           &metric_named("rougeL"), &metric_named("length-ratio")},
                          texts),
            "bleu " + signature("bleu") + "; rouge1, rougeL " + signature("rougeL"));
  const auto details = [&](const char* name) {
    std::vector<std::string> keys;
    const Metric& metric = metric_named(name);
    for (const auto& [key, figure] : metric.details(texts, metric.statistics(texts).sums()))
      keys.push_back(key);
    return keys;
  };
  EXPECT_THAT(details("bleu"), testing::ElementsAre("precisions", "brevity_penalty", "ratio",
                                                    "hypothesis_length", "reference_length", "formatted"));
  EXPECT_THAT(details("chrf"), testing::ElementsAre("name"));
  EXPECT_THAT(details("rouge2"), testing::ElementsAre("precision", "recall", "fmeasure"));
}

TEST(Metrics, AreFoundByName) {
  std::set<std::string> names, keys;
  for (const Metric& metric : metrics()) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_TRUE(keys.insert(metric.evaluate_key ? metric.evaluate_key : key_of(metric)).second)
        << metric.name;
    EXPECT_EQ(&metric_named(metric.name), &metric);
    EXPECT_EQ(&metric_named(key_of(metric)), &metric);
  }
  EXPECT_EQ(key_of(metric_named("length_ratio")), "length_ratio");
  EXPECT_THAT([] { metric_named("rougeLsun"); },
              ThrowsMessage<Error>(HasSubstr("'rougeLsun': is no metric; did you mean 'rougeLsum'?")));
}

TEST(Metrics, SayWhatTheyNeed) {
  const ScoredTexts bare({"a"}, {{"a"}}), with_sources({"a"}, {{"a"}}, {"a K"}),
      whole({"a"}, {{"a"}}, {"a K"}, small_codec());
  EXPECT_FALSE(can_score(metric_named("perplexity"), whole));  // of a model, not of texts
  EXPECT_FALSE(can_score(metric_named("novelty"), bare));
  EXPECT_TRUE(can_score(metric_named("novelty"), with_sources));
  EXPECT_FALSE(can_score(metric_named("recovered-words"), with_sources));
  EXPECT_THROW(score_of(metric_named("recovered-words"), with_sources), Error);
  const Metric& recovered = metric_named("recovered-words");
  ASSERT_TRUE(can_score(recovered, whole));
  EXPECT_FALSE(recovered.applies(recovered.statistics(whole).sums()));  // the target has no word to recover
}

TEST(ScoredTexts, PrepareOnce) {
  struct Counted {
    explicit Counted(const ScoredTexts& texts) : sentences(texts.hypotheses.size()) { ++made(); }
    static int& made() {
      static int count = 0;
      return count;
    }
    size_t sentences;
  };
  const ScoredTexts texts({"a", "b"}, single_references({"a", "c"}));
  EXPECT_EQ(&texts.prepared<Counted>(), &texts.prepared<Counted>());
  EXPECT_EQ(texts.prepared<Counted>().sentences, 2U);
  EXPECT_EQ(Counted::made(), 1);
}

TEST(ScoredTexts, HaveReferences) {
  EXPECT_THROW(ScoredTexts({"a"}, {}), Error);
  EXPECT_THROW(ScoredTexts({}, {}), Error);
  EXPECT_THROW(ScoredTexts({"a"}, {{}}), Error);
}

}  // namespace
}  // namespace seq2seq
