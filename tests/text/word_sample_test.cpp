#include "seq2seq/text/word_sample.h"

#include <gtest/gtest.h>

namespace seq2seq {
namespace {

using Counts = std::vector<std::pair<std::string, int64_t>>;

// 2,000 rare words, each once, and "the" after each of them.
void fill(WordSample& sample) {
  for (int i = 0; i < 2000; ++i) sample.add("word" + std::to_string(i) + " the");
}

TEST(WordSample, CountsExactlyWhileThereIsRoom) {
  WordSample sample(1);
  EXPECT_TRUE(sample.empty());
  sample.add("  b a\tb ");
  sample.add("");
  sample.add("ä b");
  EXPECT_EQ(sample.take(100), (Counts{{"a", 1}, {"b", 3}, {"ä", 1}}));
  EXPECT_EQ(sample.take(5), (Counts{{"a", 1}, {"b", 3}, {"ä", 1}}));
}

TEST(WordSample, TakesAProportionalShare) {
  WordSample sample(1);
  fill(sample);
  const Counts taken = sample.take(400);  // a tenth
  int64_t the = 0, rare = 0;
  for (const auto& [word, count] : taken) (word == "the" ? the : rare) += count;
  EXPECT_TRUE(the == 200 || the == 201) << the;
  EXPECT_NEAR(static_cast<double>(rare), 200, 54);  // four standard deviations of 2,000 samples at 0.1
}

TEST(WordSample, StaysWithinItsCapacityAndKeepsFrequentWords) {
  WordSample sample(1, 1000);
  fill(sample);
  size_t bytes = 0;
  for (const auto& [word, count] : sample.counts()) bytes += word.size();
  EXPECT_LE(bytes, 1000u);
  EXPECT_GE(bytes, 300u);
  ASSERT_TRUE(sample.counts().contains("the"));
  EXPECT_GT(sample.counts().at("the"), 1900);
}

// Words of a text's beginning have been thinned often, those of its end seldom.
TEST(WordSample, KeepsEarlyAndLateWordsAlike) {
  for (const uint64_t seed : {1, 2, 3}) {
    WordSample sample(seed, 3000);
    const auto add = [&](const std::string& name, int count) {
      for (int i = 0; i < count; ++i)
        for (int occurrence = 0; occurrence < 4; ++occurrence) sample.add(name + std::to_string(i));
    };
    add("early", 1000);
    add("late", 4000);
    double early = 0, late = 0;
    for (const auto& [word, count] : sample.counts()) ++(word.starts_with("early") ? early : late);
    EXPECT_GT(late, 40);
    EXPECT_NEAR(early / 1000, late / 4000, 0.034);  // four standard deviations at a share of 0.06
  }
}

TEST(WordSample, TheSeedDecides) {
  const auto draw = [](uint64_t seed) {
    WordSample sample(seed, 1000);
    fill(sample);
    return sample.take(50);
  };
  EXPECT_EQ(draw(1), draw(1));
  EXPECT_NE(draw(1), draw(2));
}

TEST(WordSample, TakesVeryLongWordsInPartsThatEndBetweenCharacters) {
  std::string word;
  for (int i = 0; i < 5000; ++i) word += "\u00e4";  // 10,000 bytes
  WordSample sample(1);
  sample.add("short " + word);
  size_t bytes = 0;
  for (const auto& [part, count] : sample.counts()) {
    EXPECT_LE(part.size(), 4096u);
    EXPECT_TRUE(part == "short" || part.size() % 2 == 0) << part.size();
    bytes += part.size() * static_cast<size_t>(count);
  }
  EXPECT_EQ(bytes, word.size() + 5);
}

}  // namespace
}  // namespace seq2seq
