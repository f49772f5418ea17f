#include "seq2seq/metrics/rouge.h"

#include <gtest/gtest.h>

#include "reference_cases.h"

namespace seq2seq {
namespace {

using test::read_pairs;
using test::read_reference;

TEST(Rouge, EqualsRougeScore) {
  const Json reference = read_reference("rouge");
  ASSERT_GT(reference.at("cases").size(), 40u);
  for (const auto& entry : reference.at("cases")) {
    const auto texts = read_pairs(entry.at("pairs"));
    for (const auto& expected : entry.at("scores")) {
      RougeOptions options;
      options.stem = expected.at("stem");
      const auto actual = corpus_rouge(texts.hypotheses, texts.references, options);
      for (const RougeType type : all_rouge_types) {
        const std::string name = option_names(type)[static_cast<size_t>(type)];
        SCOPED_TRACE(entry.at("name").get<std::string>() + " " + name + (options.stem ? " stemmed" : ""));
        const auto& score = actual[static_cast<size_t>(type)];
        EXPECT_NEAR(score.precision, expected.at(name).at("precision").get<double>(), 1e-12);
        EXPECT_NEAR(score.recall, expected.at(name).at("recall").get<double>(), 1e-12);
        EXPECT_NEAR(score.fmeasure, expected.at(name).at("fmeasure").get<double>(), 1e-12);
      }
    }
  }
}

TEST(Rouge, LinesMatterToLsumOnly) {
  const std::string reference = "the cat sat\nthe dog ran";
  const auto lines = sentence_rouge("the dog ran\nthe cat sat", {reference});
  const auto one_line = sentence_rouge("the dog ran the cat sat", {reference});
  const auto type = [](RougeType t) { return static_cast<size_t>(t); };
  EXPECT_EQ(lines[type(RougeType::rouge_lsum)].fmeasure, 1.0);
  EXPECT_EQ(lines[type(RougeType::rouge_l)].fmeasure, 0.5);
  EXPECT_EQ(one_line[type(RougeType::rouge_l)].fmeasure, 0.5);
}

TEST(Rouge, SwappingSidesSwapsPrecisionAndRecall) {
  const std::string a = "two workers carry a ladder over the street", b = "workmen carry the ladder";
  const auto forward = sentence_rouge(a, {b}), backward = sentence_rouge(b, {a});
  for (size_t t = 0; t < 3; ++t) {  // Lsum's choice among subsequences is not symmetric
    EXPECT_EQ(forward[t].precision, backward[t].recall);
    EXPECT_EQ(forward[t].recall, backward[t].precision);
  }
  EXPECT_GT(forward[0].recall, forward[0].precision);
}

TEST(Rouge, WordsAreLowercaseLettersAndDigits) {
  EXPECT_EQ(tokenize_for_rouge("Running, the B2B-café's 3.5%", {.stem = false}),
            (std::vector<std::string>{"running", "the", "b2b", "caf", "s", "3", "5"}));
  EXPECT_EQ(tokenize_for_rouge("Running was"), (std::vector<std::string>{"run", "was"}));
}

TEST(Rouge, StatisticsGiveTheMean) {
  const auto texts = read_pairs(read_reference("rouge").at("cases").at(0).at("pairs"));
  const auto sentences = rouge_by_sentence(texts.hypotheses, texts.references);
  const auto statistics = rouge_statistics(sentences, RougeType::rouge2);
  EXPECT_NEAR(statistics.score(statistics.sums()), mean_rouge(sentences)[1].fmeasure, 1e-12);
  EXPECT_EQ(statistics.score(statistics.sentence(4)), sentences[4][1].fmeasure);
}

TEST(Rouge, SignatureNamesStemming) {
  EXPECT_EQ(rouge_signature({{"a"}}), "nrefs:1|stem:yes|version:seq2seq-0.1.0");
  EXPECT_EQ(rouge_signature({{"a"}, {"a", "b"}}, {.stem = false}), "nrefs:var|stem:no|version:seq2seq-0.1.0");
}

}  // namespace
}  // namespace seq2seq
