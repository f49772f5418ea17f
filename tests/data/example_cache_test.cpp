#include "seq2seq/data/example_cache.h"

#include <gmock/gmock.h>

#include <thread>

namespace seq2seq {
namespace {

constexpr uint64_t mebibyte = uint64_t{1} << 20;

/// Ids that tell examples apart; each has `length` of them on both sides together.
JudgedExample judged(uint64_t index, size_t length) {
  JudgedExample result{FilterVerdict::keep, {index, {}, {}}};
  for (size_t i = 0; i < length; ++i)
    (i % 3 == 0 ? result.example.source : result.example.target)
        .push_back(static_cast<int64_t>(1000 * index + i));
  return result;
}

void expect_kept(const ExampleCache& cache, const JudgedExample& expected) {
  const auto found = cache.find(expected.example.index);
  ASSERT_TRUE(found) << expected.example.index;
  EXPECT_EQ(found->verdict, expected.verdict);
  EXPECT_EQ(found->example.index, expected.example.index);
  EXPECT_EQ(found->example.source, expected.example.source);
  EXPECT_EQ(found->example.target, expected.example.target);
}

TEST(ExampleCacheTest, FindsWhatWasKeptAndNothingElse) {
  ExampleCache cache(500, mebibyte);
  for (uint64_t index = 0; index < 500; index += 2) cache.keep(judged(index, index));
  for (uint64_t index = 0; index < 500; ++index) {
    if (index % 2 == 0)
      expect_kept(cache, judged(index, index));
    else
      EXPECT_FALSE(cache.find(index)) << index;
  }
  EXPECT_FALSE(cache.find(500));
  cache.keep(judged(500, 3));  // of no such corpus
  EXPECT_FALSE(cache.find(500));
}

TEST(ExampleCacheTest, WhatIsLeftOutTakesItsPlaceAlone) {
  ExampleCache cache(7, mebibyte);
  const uint64_t before = cache.bytes();
  EXPECT_EQ(before, 7 * sizeof(void*));
  for (const auto verdict :
       {FilterVerdict::empty, FilterVerdict::too_long, FilterVerdict::ratio, FilterVerdict::duplicate,
        FilterVerdict::held_out, FilterVerdict::held_out_copy}) {
    cache.keep({verdict, {static_cast<uint64_t>(verdict), {}, {}}});
    expect_kept(cache, {verdict, {static_cast<uint64_t>(verdict), {}, {}}});
  }
  EXPECT_EQ(cache.bytes(), before);
}

TEST(ExampleCacheTest, StaysWithinItsBound) {
  constexpr uint64_t examples = 20000, words = 20;
  for (const uint64_t bound : {uint64_t{0}, uint64_t{7}, uint64_t{1000}, uint64_t{70000}, mebibyte}) {
    ExampleCache cache(examples, bound);
    uint64_t kept = 0;
    for (uint64_t index = 0; index < examples; ++index) {
      cache.keep(judged(index, words));
      ASSERT_LE(cache.bytes(), bound);
      if (cache.find(index)) ++kept;
    }
    // A block's rest and the places of those that are not kept are lost.
    EXPECT_GE(kept, bound * 7 / 10 / (4 * words + 20)) << bound;
    EXPECT_LT(kept, examples);
    for (uint64_t index = 0; index < examples; ++index)
      if (cache.find(index)) expect_kept(cache, judged(index, words));
  }
}

TEST(ExampleCacheTest, LongExamplesAreKeptWhereTheyFit) {
  ExampleCache cache(8, mebibyte);
  cache.keep(judged(1, 100'000));  // longer than a block
  cache.keep(judged(2, 10));
  cache.keep(judged(3, 200'000));  // more than is left
  cache.keep(judged(4, 10));
  expect_kept(cache, judged(1, 100'000));
  expect_kept(cache, judged(2, 10));
  EXPECT_FALSE(cache.find(3));
  expect_kept(cache, judged(4, 10));
}

TEST(ExampleCacheTest, OnlyIdsOf32BitsAreKept) {
  ExampleCache cache(3, mebibyte);
  JudgedExample largest = judged(0, 3), larger = judged(1, 3), negative = judged(2, 3);
  largest.example.target[0] = 0xffffffff;
  larger.example.target[0] = 0x100000000;
  negative.example.source[0] = -1;
  for (const auto& example : {largest, larger, negative}) cache.keep(example);
  expect_kept(cache, largest);
  EXPECT_FALSE(cache.find(1));
  EXPECT_FALSE(cache.find(2));
}

TEST(ExampleCacheTest, ThreadsShareIt) {
  constexpr uint64_t examples = 2000;
  ExampleCache cache(examples, mebibyte);
  {
    std::vector<std::jthread> threads;
    for (uint64_t begin : {0, 1, 2, 3})
      threads.emplace_back([&cache, begin] {
        for (uint64_t i = 0; i < 2 * examples; ++i) {
          const JudgedExample mine = judged((i + begin * examples / 4) % examples, 5);
          if (cache.find(mine.example.index))
            expect_kept(cache, mine);
          else
            cache.keep(mine);
        }
      });
  }
  for (uint64_t index = 0; index < examples; ++index) expect_kept(cache, judged(index, 5));
  EXPECT_LE(cache.bytes(), mebibyte);
}

}  // namespace
}  // namespace seq2seq
