#include "seq2seq/metrics/summary.h"

#include <gmock/gmock.h>

namespace seq2seq {
namespace {

double value(const SentenceStatistics& statistics) {
  return statistics.score(statistics.sums());
}

std::vector<double> counts(const SentenceStatistics& statistics) {
  return statistics.values;
}

using testing::ElementsAre;
using testing::IsEmpty;

TEST(WordsOf, AreLowercaseWordsWithoutPunctuation) {
  EXPECT_THAT(words_of({"The U.S. team won, 3.5 : 2 -- don't   ask!", " ", "Über東京"}),
              ElementsAre(ElementsAre("the", "u", "s", "team", "won", "3.5", "2", "don't", "ask"), IsEmpty(),
                          ElementsAre("über", "東", "京")));
}

// a b a b a b: 2 of 6 words, 2 of 5 2-grams, 2 of 4 3-grams and 2 of 3 4-grams are distinct.
TEST(RepeatedNgrams, AreCountedWithinEachText) {
  const auto texts = words_of({"a b, a b; A B", "a b c d e", "x"});
  EXPECT_THAT(counts(repeated_ngrams(texts, 1)), ElementsAre(4, 6, 0, 5, 0, 1));
  EXPECT_THAT(counts(repeated_ngrams(texts, 2)), ElementsAre(3, 5, 0, 4, 0, 0));
  EXPECT_THAT(counts(repeated_ngrams(texts, 3)), ElementsAre(2, 4, 0, 3, 0, 0));
  EXPECT_THAT(counts(repeated_ngrams(texts, 4)), ElementsAre(1, 3, 0, 2, 0, 0));
  EXPECT_DOUBLE_EQ(value(repeated_ngrams(texts, 4)), 0.2);
  EXPECT_EQ(value(repeated_ngrams(words_of({"x", ""}), 4)), 0.0);
}

TEST(RepeatedSentences, AreFoundAcrossLinesAndPunctuation) {
  const std::vector<std::string> texts{"It rains. We go home.\nit rains! We stay.", "It rains.", "",
                                       "...\n."};
  EXPECT_THAT(counts(repeated_sentences(texts)), ElementsAre(1, 4, 0, 1, 0, 0, 0, 0));
}

TEST(NovelNgrams, AreDistinctOnesThatTheSourceLacks) {
  const auto texts = words_of({"the cat the cat sat", "on it"});
  const auto sources = words_of({"The cat, the dog.", "on it"});
  EXPECT_THAT(counts(novel_ngrams(texts, sources, 1)), ElementsAre(1, 3, 0, 2));
  EXPECT_THAT(counts(novel_ngrams(texts, sources, 2)), ElementsAre(1, 3, 0, 1));
  EXPECT_THAT(counts(novel_ngrams(texts, sources, 3)), ElementsAre(2, 3, 0, 0));
}

TEST(CopyRate, CountsEveryWord) {
  EXPECT_THAT(
      counts(copy_rate(words_of({"the cat the cat sat", ""}), words_of({"The cat, the dog.", "on it"}))),
      ElementsAre(4, 5, 0, 0));
}

TEST(RecoveredWords, AreWordsBeyondTheVocabularyThatTheSourceOffers) {
  const TextCodec codec(WordTokenizerOptions{}, NormalizationOptions{}, "",
                        Vocabulary({"call", "now", "Ann"}));
  const std::vector<std::string> sources{"Kelm and Orv and Ann call", "Zed", "now"};
  const ReferenceLists references{{"call Kelm Orv Kelm Ann Ulf", "Ann"}, {"call Zed"}, {"call"}};
  // Kelm and Orv can be recovered; Ann is known and Ulf not in the source.
  EXPECT_THAT(counts(recovered_words({"call Kelm", "call <unk>", "Kelm"}, references, sources, codec)),
              ElementsAre(1, 2, 0, 1, 0, 0));
  EXPECT_EQ(value(recovered_words({"x"}, {{"call"}}, {"call"}, codec)), 1.0);
}

// Normalization belongs to the codec: what it lowercases is compared in lowercase.
TEST(RecoveredWords, AreComparedAsTheModelReadsThem) {
  NormalizationOptions lowercase;
  lowercase.lowercase = true;
  const TextCodec codec(WordTokenizerOptions{}, lowercase, "", Vocabulary({"call"}));
  EXPECT_THAT(counts(recovered_words({"Call kelm"}, {{"call Kelm"}}, {"KELM waits"}, codec)),
              ElementsAre(1, 1));
}

TEST(LengthRatio, TakesTheNearestReference) {
  const ReferenceLists references{{"a b c d e f", "a b"}, {"a, b, c, d"}};
  EXPECT_THAT(counts(length_ratio(words_of({"x y z", "x"}), words_of_references(references))),
              ElementsAre(3, 2, 1, 4));
}

TEST(ExactMatches, IgnoreCaseAndPunctuation) {
  const auto references = words_of_references(ReferenceLists{{"an end", "The End"}, {"yes"}});
  EXPECT_THAT(counts(exact_matches(words_of({"the end!", "no"}), references)), ElementsAre(1, 1, 0, 1));
}

TEST(RightFirstWords, AreThoseOfAnyReference) {
  const auto references = words_of_references(ReferenceLists{{"An end.", "The end"}, {"yes"}, {""}});
  EXPECT_THAT(counts(right_first_words(words_of({"the rest", "", ""}), references)),
              ElementsAre(1, 1, 0, 1, 0, 1));
}

}  // namespace
}  // namespace seq2seq
