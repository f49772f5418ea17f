#include "seq2seq/metrics/chrf.h"

#include <gtest/gtest.h>

#include "reference_cases.h"

namespace seq2seq {
namespace {

using test::read_pairs;
using test::read_reference;

TEST(Chrf, EqualsSacrebleu) {
  const Json reference = read_reference("chrf");
  ASSERT_GT(reference.at("cases").size(), 40u);
  for (const auto& entry : reference.at("cases")) {
    const auto texts = read_pairs(entry.at("pairs"));
    for (const auto& expected : entry.at("scores")) {
      SCOPED_TRACE(entry.at("name").get<std::string>() + " " + expected.at("signature").get<std::string>());
      ChrfOptions options;
      options.word_order = expected.at("word_order");
      options.lowercase = expected.at("lowercase");
      EXPECT_NEAR(corpus_chrf(texts.hypotheses, texts.references, options),
                  expected.at("score").get<double>(), 1e-9);
      EXPECT_EQ(chrf_name(options), expected.at("name").get<std::string>());
      EXPECT_EQ(chrf_signature(texts.references, options),
                test::with_our_version(expected.at("signature").get<std::string>()));
    }
  }
}

TEST(Chrf, WhiteSpaceIsIrrelevantToCharacters) {
  const double together = sentence_chrf("einen Ball werfen", {"den Ball geworfen"});
  ASSERT_GT(together, 10.0);
  EXPECT_EQ(sentence_chrf(" einenBall wer fen", {"den  Ball\tgeworfen"}), together);
  EXPECT_NE(sentence_chrf("einenBall wer fen", {"den Ball geworfen"}, chrf_plus_plus()),
            sentence_chrf("einen Ball werfen", {"den Ball geworfen"}, chrf_plus_plus()));
}

TEST(Chrf, BetaWeighsRecall) {
  ChrfOptions precision_only;
  precision_only.beta = 0.0;
  // The hypothesis is correct, but only a third of the reference.
  EXPECT_NEAR(sentence_chrf("abcdefgh", {"abcdefghijklmnopqrstuvwx"}, precision_only), 100.0, 1e-9);
  EXPECT_LT(sentence_chrf("abcdefgh", {"abcdefghijklmnopqrstuvwx"}), 40.0);
}

TEST(Chrf, StatisticsOfSentencesAddUp) {
  const auto texts = read_pairs(read_reference("chrf").at("cases").at(0).at("pairs"));
  const auto statistics = chrf_statistics(texts.hypotheses, texts.references, chrf_plus_plus());
  ASSERT_EQ(statistics.sentences(), texts.hypotheses.size());
  EXPECT_EQ(statistics.score(statistics.sums()),
            corpus_chrf(texts.hypotheses, texts.references, chrf_plus_plus()));
  EXPECT_EQ(statistics.score(statistics.sentence(3)),
            sentence_chrf(texts.hypotheses[3], texts.references[3], chrf_plus_plus()));
}

}  // namespace
}  // namespace seq2seq
