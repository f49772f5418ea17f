#include "seq2seq/data/held_out.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>

#include "temporary_folder.h"

namespace seq2seq {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// A pair is its text on both sides; those that begin with '-' are of no use.
class HeldOutTest : public testing::Test {
 protected:
  void use(const std::vector<std::string>& pairs) {
    std::string lines;
    for (const std::string& pair : pairs) lines += pair + "\n";
    corpus = std::make_unique<Corpus>(CorpusFiles{folder.write("a", lines), folder.write("b", lines), ""});
  }
  HeldOut draw(uint64_t wanted, uint64_t seed = 1) {
    judged.clear();
    return draw_held_out(*corpus, wanted, seed, {}, [&](uint64_t index, const RawExample& raw) {
      EXPECT_EQ(raw.source, corpus->at(index).source);
      judged.insert(index);
      if (raw.source.empty()) return FilterVerdict::empty;
      return raw.source.starts_with('-') ? FilterVerdict::too_long : FilterVerdict::keep;
    });
  }
  std::set<std::string> texts(const HeldOut& held_out) const {
    std::set<std::string> result;
    for (const uint64_t index : held_out.examples) result.insert(corpus->at(index).source);
    return result;
  }

  TemporaryFolder folder;
  std::unique_ptr<Corpus> corpus;
  std::set<uint64_t> judged;
};

std::vector<std::string> numbered(int count) {
  std::vector<std::string> pairs;
  for (int i = 0; i < count; ++i) pairs.push_back(std::to_string(i));
  return pairs;
}

TEST_F(HeldOutTest, IsDrawnFromPairsThatOccurOnce) {
  std::vector<std::string> pairs = numbered(20);
  for (int i = 0; i < 400; ++i) pairs.insert(pairs.begin() + i % static_cast<int>(pairs.size()), "often");
  use(pairs);
  for (const uint64_t seed : {1, 2, 3}) {
    const HeldOut held_out = draw(15, seed);
    EXPECT_EQ(held_out.examples.size(), 15U);
    EXPECT_TRUE(std::is_sorted(held_out.examples.begin(), held_out.examples.end()));
    EXPECT_EQ(texts(held_out).size(), 15U);
    EXPECT_THAT(texts(held_out), Not(testing::Contains("often")));
    EXPECT_EQ(held_out.copies, 0U);
  }
}

TEST_F(HeldOutTest, DependsOnTheSeedAlone) {
  use(numbered(200));
  EXPECT_EQ(draw(20, 1).examples, draw(20, 1).examples);
  EXPECT_NE(draw(20, 1).examples, draw(20, 2).examples);
  // Every example has its chance.
  std::set<uint64_t> drawn;
  for (uint64_t seed = 0; seed < 100; ++seed)
    for (const uint64_t index : draw(20, seed).examples) drawn.insert(index);
  EXPECT_EQ(drawn.size(), 200U);
}

TEST_F(HeldOutTest, PairsOfNoUseAreNeverDrawn) {
  std::vector<std::string> pairs(90, "");
  for (int i = 0; i < 90; ++i) pairs.push_back("-" + std::to_string(i));
  for (const char* pair : {"x", "y", "z"}) pairs.push_back(pair);
  use(pairs);
  for (uint64_t seed = 0; seed < 20; ++seed) {
    EXPECT_EQ(draw(0, seed).examples.size(), 1U);
    EXPECT_EQ(draw(2, seed).examples.size(), 2U);
    for (const uint64_t index : draw(2, seed).examples) EXPECT_GE(index, 180U);
  }
}

TEST_F(HeldOutTest, HardlyMoreThanThoseDrawnAreJudged) {
  use(numbered(5000));
  draw(0);
  EXPECT_EQ(judged.size(), 50U + 1);  // one that is left to train on
}

TEST_F(HeldOutTest, WhereTooFewOccurOnceCopiesAreCounted) {
  use({"once", "a", "b", "b", "c", "c", "c", "-", "a", "c"});
  std::set<std::string> drawn_after_once;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const HeldOut held_out = draw(2, seed);
    ASSERT_EQ(held_out.examples.size(), 2U);
    std::set<std::string> two = texts(held_out);
    EXPECT_EQ(two.erase("once"), 1U);
    ASSERT_EQ(two.size(), 1U);  // different pairs
    const std::map<std::string, uint64_t> copies = {{"a", 1}, {"b", 1}, {"c", 3}};
    EXPECT_EQ(held_out.copies, copies.at(*two.begin()));
    drawn_after_once.insert(*two.begin());
  }
  EXPECT_THAT(drawn_after_once, ElementsAre("a", "b", "c"));
}

TEST_F(HeldOutTest, AHundredthButAtMostAThousandAndOnePairAtLeast) {
  const std::vector<std::pair<int, size_t>> numbers = {{2, 1}, {99, 1}, {250, 2}, {120000, 1000}};
  for (const auto& [pairs, number] : numbers) {
    use(numbered(pairs));
    EXPECT_EQ(draw(0).examples.size(), number) << pairs;
  }
}

TEST_F(HeldOutTest, OfFewDifferentPairsHalfAreLeftToTrainOn) {
  std::vector<std::string> pairs;
  for (int i = 0; i < 1000; ++i) pairs.push_back(std::to_string(i % 5));
  use(pairs);
  const HeldOut held_out = draw(0);  // a hundredth would be ten
  EXPECT_EQ(texts(held_out).size(), 2U);
  EXPECT_EQ(held_out.copies, 2 * 199U);
}

TEST_F(HeldOutTest, TheRemedyOfNothingLeftHelps) {
  const auto refusal = [&](uint64_t wanted) { return error_of([&] { draw(wanted); }); };
  use({"a", "b", "b", "", "-1"});
  EXPECT_EQ(draw(1).examples.size(), 1U);
  EXPECT_THAT(refusal(2), HasSubstr("has 2 different pairs that can be trained on, 2 examples are to be held "
                                    "out; lower --held-out to 1 or less, or give validation files"));
  use({"a"});
  EXPECT_THAT(refusal(0), AllOf(HasSubstr("has one pair"), HasSubstr("give validation files"),
                                Not(HasSubstr("--held-out"))));
  EXPECT_EQ(error_of([&] { check_can_hold_out(*corpus); }), refusal(0));
  use({"a", "a", "", "-1"});
  EXPECT_NO_THROW(check_can_hold_out(*corpus));
  for (const uint64_t wanted : {0, 1, 5})
    EXPECT_THAT(refusal(wanted), AllOf(HasSubstr("has one pair"), Not(HasSubstr("--held-out"))));
  use({"-1", "-1", "-2", ""});
  EXPECT_THAT(refusal(0),
              HasSubstr("no pair is left to train on: trained on 0 of 4 pairs (1 empty, 3 over 250 "
                        "tokens); raise --max-length"));
}

// Recorded from those versions, whose runs depend on it.
TEST_F(HeldOutTest, EarlierVersionsDrewFromAllExamples) {
  use(numbered(50));
  EXPECT_THAT(draw_any_held_out(*corpus, 5, 7).examples, ElementsAre(8, 14, 22, 31, 42));
  use(std::vector<std::string>(50, ""));
  EXPECT_THAT(draw_any_held_out(*corpus, 5, 7).examples, ElementsAre(8, 14, 22, 31, 42));
  EXPECT_EQ(draw_any_held_out(*corpus, 0, 7).examples.size(), 1U);
  EXPECT_THAT(error_of([&] { draw_any_held_out(*corpus, 50, 7); }),
              HasSubstr("has 50 examples, 50 are to be held out"));
}

}  // namespace
}  // namespace seq2seq
