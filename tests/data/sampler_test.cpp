#include "seq2seq/data/sampler.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "seq2seq/core/random.h"
#include "temporary_folder.h"

namespace seq2seq {
namespace {

TEST(Permutation, IsABijection) {
  for (uint64_t size = 1; size <= 130; ++size) {
    std::set<uint64_t> images;
    const Permutation order(size, 7);
    for (uint64_t i = 0; i < size; ++i) images.insert(order(i));
    EXPECT_EQ(images.size(), size);
    EXPECT_EQ(*images.rbegin(), size - 1);
  }
  std::vector<bool> seen(100003, false);
  const Permutation order(seen.size(), 3);
  for (uint64_t i = 0; i < seen.size(); ++i) seen[order(i)] = true;
  EXPECT_EQ(std::count(seen.begin(), seen.end(), false), 0);
}

TEST(Permutation, DependsOnTheSeed) {
  const Permutation a(1000, 1), b(1000, 2), again(1000, 1);
  int equal = 0;
  for (uint64_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(a(i), again(i));
    equal += a(i) == b(i) ? 1 : 0;
  }
  EXPECT_LT(equal, 10);  // one is expected by chance
}

TEST(Permutation, IsNearlyUniform) {
  // The images of 8 indices over many seeds: chi-square with 63 - 14 = 49 degrees of freedom.
  constexpr int seeds = 8000;
  int counts[8][8] = {};
  for (uint64_t seed = 0; seed < seeds; ++seed) {
    const Permutation order(8, seed);
    for (uint64_t i = 0; i < 8; ++i) ++counts[i][order(i)];
  }
  double chi_square = 0;
  for (const auto& row : counts)
    for (const int count : row) chi_square += std::pow(count - seeds / 8.0, 2) / (seeds / 8.0);
  EXPECT_LT(chi_square, 49 + 5 * std::sqrt(2 * 49.0));
}

/// Lengths like those of a real corpus: log-normal, source and target correlated.
bool synthetic_example(uint64_t index, Example& example) {
  if (index % 17 == 3) return false;
  Random random(mix_seed({index}));
  double normal = -6;
  for (int i = 0; i < 12; ++i) normal += random.uniform();
  const auto source = static_cast<size_t>(std::exp(2.5 + 0.5 * normal)) + 1;
  const auto target = static_cast<size_t>(static_cast<double>(source) * (0.8 + 0.4 * random.uniform())) + 1;
  example.source.assign(source, static_cast<int64_t>(index));
  example.target.assign(target, static_cast<int64_t>(index));
  return true;
}

BatchOptions options_of(BatchUnit unit, int64_t size, int64_t window) {
  return {unit, size, window};
}

std::vector<uint64_t> indices_of(const std::vector<Example>& batch) {
  std::vector<uint64_t> indices;
  for (const auto& example : batch) indices.push_back(example.index);
  return indices;
}

class SamplerUnits : public testing::TestWithParam<BatchOptions> {};

TEST_P(SamplerUnits, DeliversEveryKeptExampleOnceAnEpoch) {
  Sampler sampler(2000, synthetic_example, GetParam(), 5);
  std::vector<std::vector<uint64_t>> epochs;
  for (int epoch = 0; epoch < 2; ++epoch) {
    ASSERT_TRUE(sampler.at_epoch_start());
    ASSERT_EQ(sampler.position().epoch, static_cast<uint64_t>(epoch));
    std::vector<uint64_t> seen;
    do {
      for (const uint64_t index : indices_of(sampler.next())) seen.push_back(index);
    } while (!sampler.at_epoch_start());
    epochs.push_back(seen);
    std::sort(seen.begin(), seen.end());
    std::vector<uint64_t> kept;
    for (uint64_t index = 0; index < 2000; ++index)
      if (index % 17 != 3) kept.push_back(index);
    EXPECT_EQ(seen, kept);
  }
  EXPECT_NE(epochs[0], epochs[1]);
}

TEST_P(SamplerUnits, ContinuesAlikeFromEveryPosition) {
  Sampler sampler(300, synthetic_example, GetParam(), 5);
  std::vector<SamplerPosition> positions;
  std::vector<std::vector<uint64_t>> batches;
  for (int i = 0; i < 60; ++i) {
    positions.push_back(sampler.position());
    batches.push_back(indices_of(sampler.next()));
  }
  for (size_t begin = 0; begin < positions.size(); ++begin) {
    Sampler resumed(300, synthetic_example, GetParam(), 5);
    resumed.seek(positions[begin]);
    for (size_t i = begin; i < std::min(begin + 25, batches.size()); ++i) {
      EXPECT_EQ(resumed.position(), positions[i]);
      EXPECT_EQ(indices_of(resumed.next()), batches[i]);
    }
  }
}

TEST_P(SamplerUnits, KeepsToTheBudget) {
  const auto options = GetParam();
  const auto size = static_cast<size_t>(options.size);
  Sampler sampler(2000, synthetic_example, options, 1);
  for (int i = 0; i < 200; ++i) {
    const auto batch = sampler.next();
    size_t source = 0, target = 0;
    for (const auto& example : batch) {
      source = std::max(source, example.source.size() + 1);
      target = std::max(target, example.target.size() + 1);
    }
    const size_t area = batch.size() * (options.unit == BatchUnit::sentences ? 1 : std::max(source, target));
    EXPECT_TRUE(area <= size || batch.size() == 1) << area;
  }
}

INSTANTIATE_TEST_SUITE_P(Units, SamplerUnits,
                         testing::Values(options_of(BatchUnit::tokens, 400, 4),
                                         options_of(BatchUnit::tokens, 30, 3),
                                         options_of(BatchUnit::sentences, 16, 4),
                                         options_of(BatchUnit::sentences, 7, 1000)));

TEST(Sampler, PutsSimilarLengthsTogether) {
  Sampler sampler(20000, synthetic_example, options_of(BatchUnit::tokens, 2048, 100), 1);
  size_t tokens = 0, area = 0;
  do {
    const auto batch = sampler.next();
    size_t longest = 0;
    for (const auto& example : batch) {
      longest = std::max(longest, example.target.size() + 1);
      tokens += example.target.size() + 1;
    }
    area += longest * batch.size();
  } while (!sampler.at_epoch_start());
  EXPECT_LT(1 - static_cast<double>(tokens) / static_cast<double>(area), 0.10);
}

TEST(Sampler, ReadsNothingBeforeItsWindow) {
  Sampler sampler(5000, synthetic_example, options_of(BatchUnit::sentences, 10, 5), 9);
  for (int i = 0; i < 300; ++i) sampler.next();
  int reads = 0;
  Sampler resumed(
      5000,
      [&](uint64_t index, Example& example) {
        ++reads;
        return synthetic_example(index, example);
      },
      options_of(BatchUnit::sentences, 10, 5), 9);
  resumed.seek(sampler.position());
  EXPECT_EQ(indices_of(resumed.next()), indices_of(sampler.next()));
  EXPECT_LT(reads, 100);
}

TEST(Sampler, GivesATooLargeExampleABatchOfItsOwn) {
  auto read = [](uint64_t index, Example& example) {
    example.source.assign(index == 4 ? 50 : 3, 9);
    example.target.assign(3, 9);
    return true;
  };
  Sampler sampler(10, read, options_of(BatchUnit::tokens, 20, 10), 1);
  bool found = false;
  do {
    const auto batch = sampler.next();
    const auto indices = indices_of(batch);
    if (std::count(indices.begin(), indices.end(), 4u) == 0) continue;
    found = true;
    EXPECT_EQ(batch.size(), 1u);
  } while (!sampler.at_epoch_start());
  EXPECT_TRUE(found);
}

TEST(Sampler, EndsTheEpochThoughItsLastExamplesAreFilteredOut) {
  const Permutation order(100, mix_seed({1, 0}));
  std::set<uint64_t> kept;
  for (uint64_t i = 0; i < 20; ++i) kept.insert(order(i));
  auto read = [&](uint64_t index, Example& example) {
    example.source = example.target = {7};
    return kept.contains(index);
  };
  Sampler sampler(100, read, options_of(BatchUnit::sentences, 10, 1), 1);
  sampler.next();
  EXPECT_FALSE(sampler.at_epoch_start());
  sampler.next();
  EXPECT_TRUE(sampler.at_epoch_start());
}

TEST(Sampler, RefusesAnEmptyEpochAndAForeignPosition) {
  Sampler empty(
      10, [](uint64_t, Example&) { return false; }, {}, 1);
  EXPECT_THROW(empty.next(), EmptyEpoch);
  Sampler sampler(10, synthetic_example, {}, 1);
  sampler.seek({0, 0, 99});
  EXPECT_THAT(error_of([&] { sampler.next(); }), testing::HasSubstr("outside the corpus"));
}

}  // namespace
}  // namespace seq2seq
