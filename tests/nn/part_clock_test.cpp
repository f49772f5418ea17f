#include "seq2seq/nn/engine/part_clock.h"

#include <gtest/gtest.h>

#include <numeric>
#include <thread>

namespace seq2seq {
namespace {

constexpr double nap = 0.004;  // seconds

void take_a_nap() {
  std::this_thread::sleep_for(std::chrono::duration<double>(nap));
}

double seconds_of(const PartTimes& times, Part part) {
  return times.seconds[static_cast<size_t>(part)];
}

int64_t multiply_adds_of(const PartTimes& times, Part part) {
  return times.multiply_adds[static_cast<size_t>(part)];
}

double total_seconds(const PartTimes& times) {
  return std::accumulate(times.seconds.begin(), times.seconds.end(), 0.0);
}

TEST(PartClock, DividesAllOfItsTime) {
  const auto before = Clock::now();
  PartClock clock(Part::search);
  const auto begun = Clock::now();
  take_a_nap();
  {
    const PartScope step(Part::framework);
    take_a_nap();
    {
      const PartScope looking(Part::attention);
      const PartScope projecting(Part::products);
      take_a_nap();
    }
    take_a_nap();
  }
  take_a_nap();
  const double least = seconds_since(begun);
  const PartTimes times = clock.times();
  const double most = seconds_since(before);
  EXPECT_GE(seconds_of(times, Part::search), 2 * nap);
  EXPECT_GE(seconds_of(times, Part::framework), 2 * nap);
  EXPECT_GE(seconds_of(times, Part::products), nap);
  for (const Part other : {Part::encoder, Part::elementwise, Part::vocabulary, Part::rules})
    EXPECT_EQ(seconds_of(times, other), 0);
  EXPECT_GE(total_seconds(times), least - 1e-9);
  EXPECT_LE(total_seconds(times), most + 1e-9);
}

TEST(PartClock, ReturnsToTheOuterPart) {
  PartClock clock(Part::search);
  count_multiply_adds(1);
  {
    const PartScope step(Part::framework);
    count_multiply_adds(2);
    {
      const PartScope looking(Part::attention);
      count_multiply_adds(4);
      {
        const PartScope projecting(Part::products);
        count_multiply_adds(8);
      }
      count_multiply_adds(16);
    }
    count_multiply_adds(32);
  }
  count_multiply_adds(64);
  const PartTimes times = clock.times();
  EXPECT_EQ(multiply_adds_of(times, Part::search), 1 + 64);
  EXPECT_EQ(multiply_adds_of(times, Part::framework), 2 + 32);
  EXPECT_EQ(multiply_adds_of(times, Part::attention), 4 + 16);
  EXPECT_EQ(multiply_adds_of(times, Part::products), 8);
}

// Products are everywhere; those of the encoder and the output layer are theirs.
TEST(PartClock, PartsOfStepsCountOnlyThere) {
  for (const Part around : {Part::encoder, Part::vocabulary, Part::search, Part::rules})
    for (const Part within : {Part::products, Part::attention, Part::elementwise}) {
      PartClock clock(Part::search);
      {
        const PartScope outer(around);
        const PartScope inner(within);
        count_multiply_adds(5);
        const PartScope innermost(Part::products);
        count_multiply_adds(2);
      }
      count_multiply_adds(10);
      const PartTimes times = clock.times();
      EXPECT_EQ(multiply_adds_of(times, within), 0);
      EXPECT_EQ(multiply_adds_of(times, around), around == Part::search ? 17 : 7);
      EXPECT_EQ(multiply_adds_of(times, Part::search), around == Part::search ? 17 : 10);
    }
}

TEST(PartClock, IsThatOfItsThreadWhileItLives) {
  EXPECT_EQ(Compute::now().clock, nullptr);
  const PartScope untimed(Part::encoder);
  const int64_t before = multiply_adds();
  {
    PartClock clock(Part::search);
    EXPECT_EQ(Compute::now().clock, &clock);
    EXPECT_EQ(Compute::now().kept().clock, nullptr);
    std::jthread([] {
      EXPECT_EQ(Compute::now().clock, nullptr);
      const PartScope elsewhere(Part::rules);
      count_multiply_adds(3);
    }).join();
    const PartTimes times = clock.times();
    EXPECT_EQ(seconds_of(times, Part::rules), 0);
    EXPECT_EQ(times.multiply_adds, PartTimes{}.multiply_adds);
  }
  EXPECT_EQ(Compute::now().clock, nullptr);
  EXPECT_EQ(multiply_adds(), before + 3);  // counted all the same
}

TEST(PartTimes, AreThoseOfAllThreadsOfABatch) {
  PartTimes all, one;
  one.seconds[0] = 0.5;
  one.multiply_adds[0] = 7;
  all.add(one, 1);
  all.add(one, 3);
  EXPECT_EQ(all.seconds[0], 2.0);
  EXPECT_EQ(all.multiply_adds[0], 14);
}

}  // namespace
}  // namespace seq2seq
