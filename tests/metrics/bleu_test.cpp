#include "seq2seq/metrics/bleu.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "reference_cases.h"
#include "seq2seq/core/error.h"

namespace seq2seq {
namespace {

using test::read_pairs;
using test::read_reference;

/// `name` as in the reference.
BleuTokenizer bleu_tokenizer_named(const std::string& name) {
  return BleuTokenizer::named(
      name == "pieces" ? "spm:" + test::tests_folder + "reference/metrics_pieces.model" : name);
}

TEST(Bleu, EqualsSacrebleu) {
  const Json reference = read_reference("bleu");
  ASSERT_GT(reference.at("cases").size(), 40u);
  for (const auto& entry : reference.at("cases")) {
    const auto texts = read_pairs(entry.at("pairs"));
    for (const auto& expected : entry.at("scores")) {
      SCOPED_TRACE(entry.at("name").get<std::string>() + " " + expected.at("signature").get<std::string>());
      BleuOptions options;
      options.tokenizer = bleu_tokenizer_named(expected.at("tokenizer"));
      options.lowercase = expected.at("lowercase");
      options.effective_order = expected.at("effective_order");
      const auto actual = corpus_bleu(texts.hypotheses, texts.references, options);
      EXPECT_NEAR(actual.score, expected.at("score").get<double>(), 1e-9);
      EXPECT_NEAR(actual.brevity_penalty, expected.at("brevity_penalty").get<double>(), 1e-12);
      EXPECT_NEAR(actual.ratio(), expected.at("ratio").get<double>(), 1e-12);
      for (size_t n = 0; n < BleuScore::orders; ++n) {
        EXPECT_NEAR(actual.precisions[n], expected.at("precisions").at(n).get<double>(), 1e-9);
        EXPECT_EQ(actual.matches[n], expected.at("matches").at(n).get<int64_t>());
        EXPECT_EQ(actual.totals[n], expected.at("totals").at(n).get<int64_t>());
      }
      EXPECT_EQ(actual.format(), expected.at("format").get<std::string>());
      EXPECT_EQ(bleu_signature(texts.references, options),
                test::with_our_version(expected.at("signature").get<std::string>()));
    }
  }
}

TEST(BleuTokenizer, EqualsSacrebleu) {
  const Json reference = read_reference("bleu");
  ASSERT_GT(reference.at("words").size(), 100u);
  for (const auto& entry : reference.at("words")) {
    const auto text = entry.at("text").get<std::string>();
    for (const char* name : {"13a", "intl", "zh", "char", "none", "pieces"})
      EXPECT_EQ(tokenize_for_bleu(text, bleu_tokenizer_named(name)), entry.at(name).get<std::string>())
          << name << text;
  }
}

TEST(BleuTokenizer, IsNamedAsInSacrebleuAndByItsModel) {
  EXPECT_EQ(BleuTokenizer::names(),
            (std::vector<std::string>{"13a", "intl", "zh", "char", "none", "spm:FILE"}));
  for (const char* name : {"13a", "intl", "zh", "char", "none"})
    EXPECT_EQ(BleuTokenizer::named(name).signature(), name);
  const auto message = [](const std::string& name) {
    try {
      BleuTokenizer::named(name);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(message("13b"), "'13b': is no tokenizer of BLEU; did you mean '13a'?");
  EXPECT_NE(message("spm:" + test::tests_folder + "nothing").find("nothing: "), std::string::npos);
  EXPECT_NE(
      message("spm:" + test::tests_folder + "reference/metrics_bleu.py").find("not a SentencePiece model"),
      std::string::npos);
}

TEST(BleuTokenizer, SurvivesInvalidUtf8) {
  EXPECT_EQ(tokenize_for_bleu("a\xFF\xC3 b\xE2\x82", BleuTokenizer::international),
            "a \xEF\xBF\xBD \xEF\xBF\xBD b \xEF\xBF\xBD \xEF\xBF\xBD");
}

TEST(Bleu, OrderOfSentencesAndReferencesIsIrrelevant) {
  auto texts = read_pairs(read_reference("bleu").at("cases").at(1).at("pairs"));
  const auto before = corpus_bleu(texts.hypotheses, texts.references);
  ASSERT_GT(before.score, 10.0);
  std::reverse(texts.hypotheses.begin(), texts.hypotheses.end());
  std::reverse(texts.references.begin(), texts.references.end());
  for (auto& references : texts.references) std::reverse(references.begin(), references.end());
  EXPECT_EQ(corpus_bleu(texts.hypotheses, texts.references).format(), before.format());
}

TEST(Bleu, SentenceUsesEffectiveOrder) {
  EXPECT_NEAR(sentence_bleu("Good morning", {"Good morning"}).score, 100.0, 1e-9);
  EXPECT_EQ(corpus_bleu({"Good morning"}, {{"Good morning"}}).score, 0.0);
}

TEST(Bleu, StatisticsOfSentencesAddUp) {
  const auto texts = read_pairs(read_reference("bleu").at("cases").at(0).at("pairs"));
  const auto statistics = bleu_statistics(texts.hypotheses, texts.references);
  ASSERT_EQ(statistics.sentences(), texts.hypotheses.size());
  EXPECT_EQ(statistics.score(statistics.sums()), corpus_bleu(texts.hypotheses, texts.references).score);
  const auto one = corpus_bleu({texts.hypotheses[3]}, {texts.references[3]});
  EXPECT_EQ(statistics.score(statistics.sentence(3)), one.score);
}

TEST(Bleu, RefusesWhatCannotBeScored) {
  const auto message = [](const std::vector<std::string>& hypotheses, const ReferenceLists& references) {
    try {
      corpus_bleu(hypotheses, references);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_NE(message({"a", "b"}, {{"a"}}).find("2 hypotheses but references for 1"), std::string::npos);
  EXPECT_NE(message({}, {}).find("no sentences"), std::string::npos);
  EXPECT_NE(message({"a", "b"}, {{"a"}, {}}).find("sentence 2 has no reference"), std::string::npos);
}

}  // namespace
}  // namespace seq2seq
