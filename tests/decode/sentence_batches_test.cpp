#include "seq2seq/decode/sentence_batches.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "seq2seq/core/random.h"

namespace seq2seq {
namespace {

using Batches = std::vector<std::vector<size_t>>;

/// Sources of these lengths.
std::vector<std::vector<int64_t>> sources_of(const std::vector<size_t>& lengths) {
  std::vector<std::vector<int64_t>> sources;
  for (const size_t length : lengths) sources.emplace_back(length, 4);
  return sources;
}

TEST(SentenceBatches, AreBoundedBySentencesAndByPaddedTokens) {
  const auto sources = sources_of({1, 5, 2, 9, 2, 1, 5});
  EXPECT_EQ(sentence_batches(sources, 3, 1000), (Batches{{3, 1, 6}, {2, 4, 0}, {5}}));
  // With </s> the longest has 10 tokens, the next two 6, then 3, 3, 2 and 2.
  EXPECT_EQ(sentence_batches(sources, 100, 12), (Batches{{3}, {1, 6}, {2, 4, 0, 5}}));
  EXPECT_EQ(sentence_batches(sources, 3, 12), (Batches{{3}, {1, 6}, {2, 4, 0}, {5}}));
  EXPECT_EQ(sentence_batches(sources, 100, 11), (Batches{{3}, {1}, {6}, {2, 4, 0}, {5}}));
  EXPECT_EQ(sentence_batches(sources, 100, 30), (Batches{{3, 1, 6}, {2, 4, 0, 5}}));
}

TEST(SentenceBatches, ALongerSourceIsABatchOfItsOwn) {
  EXPECT_EQ(sentence_batches(sources_of({7, 1, 8}), 32, 4), (Batches{{2}, {0}, {1}}));
  EXPECT_EQ(sentence_batches(sources_of({7, 1, 8}), 32, 1), (Batches{{2}, {0}, {1}}));
  EXPECT_EQ(sentence_batches(sources_of({7, 1, 8}), 1, 1000), (Batches{{2}, {0}, {1}}));
  EXPECT_EQ(sentence_batches({}, 32, 100), Batches{});
}

TEST(SentenceBatches, HoldEverySourceOnceWithinBothBounds) {
  Random random(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<size_t> lengths(random.below(40));
    for (size_t& length : lengths) length = 1 + random.below(30);
    const auto sentences = static_cast<int64_t>(1 + random.below(9)),
               tokens = static_cast<int64_t>(1 + random.below(90));
    std::vector<size_t> seen;
    int64_t longest_so_far = 31;
    for (const auto& batch : sentence_batches(sources_of(lengths), sentences, tokens)) {
      ASSERT_FALSE(batch.empty());
      const auto count = std::ssize(batch), longest = static_cast<int64_t>(lengths[batch.front()]) + 1;
      EXPECT_LE(count, sentences);
      EXPECT_TRUE(count == 1 || longest * count <= tokens) << longest << " x " << count << " of " << tokens;
      EXPECT_LE(longest, longest_so_far);
      for (const size_t i : batch) EXPECT_LE(lengths[i], lengths[batch.front()]);
      longest_so_far = longest;
      seen.insert(seen.end(), batch.begin(), batch.end());
    }
    std::sort(seen.begin(), seen.end());
    ASSERT_EQ(seen.size(), lengths.size());
    for (size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], i);
  }
}

}  // namespace
}  // namespace seq2seq
