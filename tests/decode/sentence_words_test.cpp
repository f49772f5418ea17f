#include "seq2seq/decode/sentence_words.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <limits>

#include "../support/shadow_device.h"

namespace seq2seq {
namespace {

using testing::ElementsAre;

std::vector<int64_t> numbers_of(const Tensor& x) {
  const Tensor plain = x.to(at::kCPU).contiguous();
  return {plain.const_data_ptr<int64_t>(), plain.const_data_ptr<int64_t>() + plain.numel()};
}

Tensor numbers(const std::vector<int64_t>& values, int64_t rows) {
  return test::on_device(at::tensor(values, at::kLong).view({rows, -1}));
}

// A vocabulary of 50 words; the second sentence has more of them than there are columns in a group.
class SentenceWordsTest : public testing::Test {
 protected:
  static std::vector<int64_t> many() {
    std::vector<int64_t> ids{0, 1, 2, 3};
    for (int64_t id = 10; id < 25; ++id) ids.push_back(id);
    return ids;
  }
  SentenceWords words{{{0, 1, 2, 3, 7, 40}, many()}, 50, test::test_device()};
};

TEST_F(SentenceWordsTest, ArePaddedToWholeGroupsOfColumns) {
  EXPECT_EQ(words.most(), 19);
  EXPECT_EQ(words.width(), 32);
  std::vector<int64_t> first{0, 1, 2, 3, 7, 40};
  first.resize(32, -1);
  EXPECT_EQ(numbers_of(words.ids()[0]), first);
  EXPECT_EQ(words.ids()[1][18].item<int64_t>(), 24);
  EXPECT_EQ(words.ids()[1][19].item<int64_t>(), -1);
}

// 32 is the first slot after the columns.
TEST_F(SentenceWordsTest, IndicesAreThoseOfTheOwnSentence) {
  EXPECT_THAT(numbers_of(words.indices(numbers({40, 50, -1, 7, 24, 52, 40, 10}, 2))),
              ElementsAre(5, 32, -1, 4, 18, 34, -1, 4));
}

TEST_F(SentenceWordsTest, TokensAreTheOtherWayRound) {
  // Two hypotheses for each sentence.
  EXPECT_THAT(numbers_of(words.tokens(numbers({5, 32, 4, 3, 18, 4, 0, 34}, 4))),
              ElementsAre(40, 50, 7, 3, 24, 10, 0, 52));
  EXPECT_THAT(numbers_of(words.tokens(numbers({6, 31, 31, 19}, 2))), testing::Each(0));  // padding
}

TEST_F(SentenceWordsTest, AdjustmentsOfOtherWordsAreLeftOut) {
  constexpr double forbidden = -std::numeric_limits<double>::infinity();
  const Adjustments given{{{40, 1.5, 0}, {10, forbidden, 0}, {51, 0, 0.5}, {40, 2.5, 0}, {10, 3.5, 0}},
                          {0, 1, 3, 3, 5}};
  const auto [adjustments, places] = words.own(given);
  EXPECT_THAT(adjustments.begins, ElementsAre(0, 1, 2, 2, 3));
  ASSERT_EQ(adjustments.all.size(), 3U);
  EXPECT_EQ(adjustments.all[0].index, 5);
  EXPECT_EQ(adjustments.all[0].added, 1.5);
  EXPECT_EQ(adjustments.all[1].index, 33);
  EXPECT_EQ(adjustments.all[1].factor, 0.5);
  EXPECT_EQ(adjustments.all[2].index, 4);
  EXPECT_EQ(adjustments.all[2].added, 3.5);
  EXPECT_THAT(places, ElementsAre(0, 2, 4));
  EXPECT_TRUE(words.own({}).adjustments.empty());
}

TEST_F(SentenceWordsTest, FollowTheSentencesThatAreKept) {
  words.keep_sentences(test::on_device(at::tensor(std::vector<int64_t>{1})));
  EXPECT_EQ(words.most(), 19);
  EXPECT_THAT(numbers_of(words.tokens(numbers({18, 4}, 1))), ElementsAre(24, 10));
  EXPECT_THAT(numbers_of(words.indices(numbers({40, 10}, 1))), ElementsAre(-1, 4));
  const SentenceWords::Own own = words.own({{{10, 1, 0}, {24, 1, 0}}, {0, 1, 2}});
  EXPECT_THAT(own.places, ElementsAre(0, 1));
  // Slots keep their indices, since those of the batch are not made again.
  words = SentenceWords({{0, 1, 2, 3, 7, 40}, many()}, 50, test::test_device());
  words.keep_sentences(test::on_device(at::tensor(std::vector<int64_t>{0})));
  EXPECT_EQ(words.most(), 6);
  EXPECT_EQ(words.width(), 32);
}

}  // namespace
}  // namespace seq2seq
