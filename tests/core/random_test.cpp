#include "seq2seq/core/random.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include "../support/paths.h"
#include "seq2seq/core/json.h"

namespace seq2seq {
namespace {

TEST(Random, IsSplitmix64) {
  for (const auto& expected : read_json_file(test::tests_folder + "reference/core_random.json")) {
    Random random(std::stoull(expected["seed"].get<std::string>()));
    for (const auto& number : expected["next"])
      EXPECT_EQ(std::to_string(random.next()), number.get<std::string>());
  }
}

TEST(Random, UniformStaysBelowOneAndCoversTheRange) {
  Random random(3);
  double sum = 0, square = 0;
  constexpr int count = 100000;
  for (int i = 0; i < count; ++i) {
    const double value = random.uniform();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    sum += value;
    square += value * value;
  }
  EXPECT_NEAR(sum / count, 0.5, 0.005);  // five standard errors
  EXPECT_NEAR(square / count, 1.0 / 3, 0.005);
}

TEST(Random, BelowIsUniform) {
  Random random(4);
  std::array<int, 7> seen{};
  for (int i = 0; i < 70000; ++i) ++seen.at(random.below(7));
  for (const int count : seen) EXPECT_NEAR(count, 10000, 500);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(random.below(1), 0U);
  const uint64_t large = (uint64_t{1} << 63) + 1;  // nearly half of the samples must be rejected
  for (int i = 0; i < 1000; ++i) EXPECT_LT(random.below(large), large);
}

TEST(MixSeed, DependsOnEveryPartAndOnTheirOrder) {
  std::set<uint64_t> seeds;
  for (uint64_t a = 0; a < 30; ++a)
    for (uint64_t b = 0; b < 30; ++b) seeds.insert(mix_seed({a, b}));
  EXPECT_EQ(seeds.size(), 900U);
  EXPECT_NE(mix_seed({1}), mix_seed({1, 0}));
  EXPECT_NE(mix_seed({}), mix_seed({0}));
  EXPECT_EQ(mix_seed({5, 6, 7}), mix_seed({5, 6, 7}));
}

}  // namespace
}  // namespace seq2seq
