#include "seq2seq/data/read_ahead.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <stdexcept>

#include "temporary_folder.h"

namespace seq2seq {
namespace {

using namespace std::chrono_literals;

constexpr uint64_t corpus_size = 150, order_seed = 3;
// Reading threads hold at most this many examples beside those that are done.
constexpr uint64_t most_in_work = 32;

/// As many target tokens as the index has tens; every seventh example is left out.
JudgedExample example_of(uint64_t index) {
  if (index % 7 == 5) return {FilterVerdict::ratio, {index, {}, {}}};
  return {FilterVerdict::keep, {index, {static_cast<int64_t>(index)}, std::vector<int64_t>(index / 10, 9)}};
}

BatchOptions window_of(BatchUnit unit, int64_t weight) {
  return {unit, weight, 1};
}

template <class Condition>
bool comes_true(Condition condition) {
  for (int i = 0; i < 10000 && !condition(); ++i) std::this_thread::sleep_for(1ms);
  return condition();
}

TEST(ReadAheadTest, FollowsTheOrderOfTheEpochs) {
  for (const int64_t threads : {1, 2, 5}) {
    for (const SamplerPosition start :
         {SamplerPosition{}, SamplerPosition{4, 77, 2}, SamplerPosition{1, 149, 0}}) {
      ReadAhead reading(corpus_size, example_of, window_of(BatchUnit::tokens, 300), order_seed, start,
                        threads);
      uint64_t epoch = start.epoch, place = start.window_begin;
      for (uint64_t i = 0; i < 3 * corpus_size; ++i) {
        const auto judged = reading.next({});
        ASSERT_TRUE(judged);
        const JudgedExample expected = example_of(epoch_order(corpus_size, order_seed, epoch)(place));
        EXPECT_EQ(judged->example.index, expected.example.index);
        EXPECT_EQ(judged->verdict, expected.verdict);
        EXPECT_EQ(judged->example.target, expected.example.target);
        if (++place == corpus_size) {
          ++epoch;
          place = 0;
        }
      }
    }
  }
}

TEST(ReadAheadTest, ReadsAWindowAheadAndNotMuchMore) {
  for (const uint64_t threads : {1, 3}) {
    std::atomic<uint64_t> read = 0;
    ReadAhead reading(
        1000,
        [&](uint64_t index) {
          ++read;
          return example_of(index);
        },
        window_of(BatchUnit::sentences, 200), order_seed, {}, static_cast<int64_t>(threads));
    for (uint64_t taken = 0; taken < 700; ++taken) {
      if (taken % 100 == 0) {
        // Nobody asks, and it is read.
        EXPECT_TRUE(comes_true([&] { return read.load() >= taken + 200; }))
            << read.load() << " read, " << taken << " taken";
      }
      ASSERT_TRUE(reading.next({}));
      // The chunk that is being taken counts no more.
      EXPECT_LE(read.load(), taken + 200 + (threads + 1) * most_in_work);
    }
  }
}

TEST(ReadAheadTest, WhatIsLeftOutIsBoundedToo) {
  std::atomic<uint64_t> read = 0;
  const ReadAhead reading(
      corpus_size,
      [&](uint64_t index) {
        ++read;
        return JudgedExample{FilterVerdict::empty, {index, {}, {}}};
      },
      window_of(BatchUnit::tokens, 100), order_seed, {}, 2);
  EXPECT_TRUE(comes_true([&] { return read.load() >= 100; }));
  std::this_thread::sleep_for(20ms);
  EXPECT_LE(read.load(), 100 + 2 * most_in_work);
}

TEST(ReadAheadTest, AnErrorComesInItsTurn) {
  const Permutation order = epoch_order(corpus_size, order_seed, 0);
  for (const int64_t threads : {1, 2, 5}) {
    for (const uint64_t place : {0, 1, 31, 32, 100}) {
      ReadAhead reading(
          corpus_size,
          [&](uint64_t index) {
            // A later one may fail at once.
            if (index == order(place)) std::this_thread::sleep_for(2ms);
            if (index == order(place) || index == order(place + 20))
              throw std::runtime_error("example " + std::to_string(index));
            return example_of(index);
          },
          window_of(BatchUnit::sentences, 1000), order_seed, {}, threads);
      for (uint64_t i = 0; i < place; ++i) EXPECT_EQ(reading.next({})->example.index, order(i));
      for (int attempt = 0; attempt < 2; ++attempt)
        EXPECT_EQ(error_of([&] { reading.next({}); }), "example " + std::to_string(order(place)));
    }
  }
}

TEST(ReadAheadTest, EndsWhileItsThreadsRead) {
  for (const int64_t threads : {1, 2, 5}) {
    for (int i = 0; i < 10; ++i) {
      std::atomic<bool> begun = false;
      ReadAhead reading(
          corpus_size,
          [&](uint64_t index) {
            begun = true;
            std::this_thread::sleep_for(1ms);
            return example_of(index);
          },
          window_of(BatchUnit::sentences, 100'000), order_seed, {}, threads);
      EXPECT_TRUE(comes_true([&] { return begun.load(); }));
    }
  }
}

TEST(ReadAheadTest, WhoWaitsCanBeStopped) {
  std::atomic<bool> blocked = true;
  ReadAhead reading(
      corpus_size,
      [&](uint64_t index) {
        while (blocked) std::this_thread::sleep_for(1ms);
        return example_of(index);
      },
      window_of(BatchUnit::sentences, 10), order_seed, {}, 2);
  std::optional<JudgedExample> taken = example_of(1);
  {
    std::jthread waiting([&](const std::stop_token& stop) { taken = reading.next(stop); });
    std::this_thread::sleep_for(2ms);
  }
  EXPECT_FALSE(taken);
  blocked = false;
  EXPECT_EQ(reading.next({})->example.index, epoch_order(corpus_size, order_seed, 0)(0));
}

}  // namespace
}  // namespace seq2seq
