#include "seq2seq/metrics/ter.h"

#include <gmock/gmock.h>

#include "reference_cases.h"

namespace seq2seq {
namespace {

using testing::ElementsAre;

std::vector<double> edits_and_words(const std::string& hypothesis,
                                    const std::vector<std::string>& references) {
  return ter_statistics({{hypothesis}, {references}}).values;
}

TEST(Ter, EqualsSacrebleu) {
  const Json reference = test::read_reference("ter");
  ASSERT_GT(reference.at("cases").size(), 50U);
  for (const auto& expected : reference.at("cases")) {
    SCOPED_TRACE(expected.at("name").get<std::string>());
    const auto pairs = test::read_pairs(expected.at("pairs"));
    const ScoredTexts texts(pairs.hypotheses, pairs.references);
    const SentenceStatistics statistics = ter_statistics(texts);
    const auto sums = statistics.sums();
    EXPECT_EQ(sums[0], expected.at("edits").get<double>());
    EXPECT_NEAR(sums[1], expected.at("reference_words").get<double>(), 1e-9);
    EXPECT_NEAR(statistics.score(sums), expected.at("score").get<double>(), 1e-9);
    for (size_t i = 0; i < statistics.sentences(); ++i)
      EXPECT_NEAR(statistics.score(statistics.sentence(i)), expected.at("sentences").at(i).get<double>(),
                  1e-9)
          << pairs.hypotheses[i];
    EXPECT_EQ(ter_signature(texts), test::with_our_version(expected.at("signature").get<std::string>()));
  }
}

TEST(Ter, CountsEdits) {
  EXPECT_THAT(edits_and_words("a b c", {"a b c"}), ElementsAre(0, 3));
  EXPECT_THAT(edits_and_words("a x c", {"a b c d"}), ElementsAre(2, 4));  // substitute b for x, insert d
  EXPECT_THAT(edits_and_words("a b c d", {"b c"}), ElementsAre(2, 2));
  EXPECT_THAT(edits_and_words("", {"a b"}), ElementsAre(2, 2));
  EXPECT_THAT(edits_and_words("a b", {""}), ElementsAre(2, 0));
  EXPECT_THAT(edits_and_words(" A\tb ", {"a  B"}), ElementsAre(0, 2));  // case and white space do not count
}

TEST(Ter, CountsARunThatMovesAsOneEdit) {
  EXPECT_THAT(edits_and_words("d e a b c", {"a b c d e"}), ElementsAre(1, 5));
  EXPECT_THAT(edits_and_words("d e a x c", {"a b c d e"}), ElementsAre(2, 5));
  // Twelve words cannot move at once, but the three before them can.
  EXPECT_THAT(edits_and_words("x y z a b c d e f g h i j k l", {"a b c d e f g h i j k l x y z"}),
              ElementsAre(1, 15));
}

TEST(Ter, TakesTheReferenceWithFewestEditsAndTheMeanLength) {
  EXPECT_THAT(edits_and_words("a b c", {"x y z w v", "a b d"}), ElementsAre(1, 4));
}

TEST(Ter, CountsAllWhereTheReferencesHaveNoWords) {
  EXPECT_EQ(ter_statistics({{"a b"}, {{""}}}).score(std::vector<double>{2, 0}), 100);
  EXPECT_EQ(ter_statistics({{""}, {{""}}}).score(std::vector<double>{0, 0}), 0);
}

}  // namespace
}  // namespace seq2seq
