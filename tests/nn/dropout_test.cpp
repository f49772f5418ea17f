#include "seq2seq/nn/ops/dropout.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <set>

#include "../support/compare.h"
#include "../support/fill.h"
#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/layers/linear.h"

namespace seq2seq::test {
namespace {

// Five standard deviations of the share of n draws in which an event of probability p occurs.
double slack(double p, int64_t n) {
  return 5 * std::sqrt(p * (1 - p) / static_cast<double>(n));
}

double share(const Tensor& condition) {
  return condition.to(at::kDouble).mean().item<double>();
}

TEST(NoiseTest, MasksHoldZeroAndTheScaleInTheRightShares) {
  for (const auto type : {at::kFloat, at::kDouble})
    for (const double p : {0.1, 0.5, 0.9}) {
      Noise noise(3);
      const Tensor mask = noise.mask(at::empty({400, 250}, on_device(type)), p);
      EXPECT_EQ(mask.scalar_type(), type);
      EXPECT_NEAR(share(mask.eq(0)), p, slack(p, mask.numel()));
      const Tensor kept = mask.masked_select(mask.ne(0));
      EXPECT_TRUE(close(kept, at::full_like(kept, 1 / (1 - p)), 1e-6));
    }
}

TEST(NoiseTest, UniformNumbersAreUniform) {
  Noise noise(4);
  const Tensor numbers = noise.uniform(at::empty({100000}, on_device(at::kLong)));
  EXPECT_EQ(numbers.scalar_type(), at::kFloat);
  EXPECT_GE(numbers.min().item<double>(), 0);
  EXPECT_LT(numbers.max().item<double>(), 1);
  for (int tenth = 1; tenth < 10; ++tenth)
    EXPECT_NEAR(share(numbers < tenth / 10.0), tenth / 10.0, slack(tenth / 10.0, numbers.numel()));
}

// Along rows and columns: neighbours must not be dropped together.
TEST(NoiseTest, NeighboursAreIndependent) {
  Noise noise(5);
  const Tensor dropped = noise.mask(on_device(at::empty({300, 512})), 0.5).eq(0);
  for (const int64_t dimension : {0, 1}) {
    const int64_t size = dropped.size(dimension) - 1;
    const Tensor both = dropped.narrow(dimension, 0, size).logical_and(dropped.narrow(dimension, 1, size));
    EXPECT_NEAR(share(both), 0.25, slack(0.25, both.numel()));
  }
}

TEST(NoiseTest, DependsOnTheSeedAndTheNumberOfDrawsAlone) {
  const Tensor like = on_device(at::empty({7, 50}));
  Noise first(11), second(11), other(12);
  const Tensor a = first.mask(like, 0.5), b = first.mask(like, 0.5);
  EXPECT_TRUE(same(second.mask(like, 0.5), a));
  // Only the number of earlier draws matters, not their shapes.
  EXPECT_TRUE(same(second.mask(like, 0.5), b));
  Noise third(11);
  third.uniform(on_device(at::empty({3})));
  EXPECT_TRUE(same(third.mask(like, 0.5), b));
  EXPECT_FALSE(at::equal(a, b));
  EXPECT_FALSE(at::equal(other.mask(like, 0.5), a));
}

// Masks of different draws and seeds agree on half of their elements, as independent ones do.
TEST(NoiseTest, DrawsAndSeedsAreIndependent) {
  const Tensor like = on_device(at::empty({100, 100}));
  Noise noise(1), next_seed(2);
  const Tensor a = noise.mask(like, 0.5), b = noise.mask(like, 0.5), c = next_seed.mask(like, 0.5);
  for (const auto& [x, y] : {std::pair(a, b), std::pair(a, c), std::pair(b, c)})
    EXPECT_NEAR(share(x.eq(y)), 0.5, slack(0.5, like.numel()));
}

// Tensor operations draw the same numbers as kernels, on the CPU and on the device under test.
TEST(NoiseTest, EveryDeviceDrawsTheSameBits) {
  for (const auto type : {at::kFloat, at::kDouble})
    for (const auto& sizes : {std::vector<int64_t>{3}, {7, 11}, {300, 1000}})
      for (const double p : {0.1, 0.3, 0.9}) {
        Noise kernels(21), operations(21), device(21);
        for (int draw = 0; draw < 3; ++draw) {
          const Tensor like = at::empty(sizes, type), there = at::empty(sizes, on_device(type));
          const Tensor mask = kernels.mask(like, p), numbers = kernels.uniform(like);
          const Tensor mask_there = device.mask(there, p), numbers_there = device.uniform(there);
          EXPECT_EQ(mask_there.device(), there.device());
          EXPECT_EQ(numbers_there.device(), there.device());
          EXPECT_TRUE(same(mask_there, mask));
          EXPECT_TRUE(same(numbers_there, numbers));
          const ComputeScope plain(&Compute::kernels, Kernels::plain);
          EXPECT_TRUE(same(operations.mask(like, p), mask));
          EXPECT_TRUE(same(operations.uniform(like), numbers));
        }
      }
}

TEST(NoiseTest, TheNumberOfThreadsDoesNotMatter) {
  const int before = at::get_num_threads();
  const Tensor like = on_device(at::empty({300, 1000}));  // several tasks
  std::vector<Tensor> masks, numbers;
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    Noise noise(6);
    masks.push_back(noise.mask(like, 0.3));
    numbers.push_back(noise.uniform(like));
  }
  at::set_num_threads(before);
  for (size_t i = 1; i < masks.size(); ++i) {
    EXPECT_TRUE(at::equal(masks[i], masks[0]));
    EXPECT_TRUE(at::equal(numbers[i], numbers[0]));
  }
}

TEST(DropoutTest, KeepsTheMeanAndZeroesTheGradientWithTheValue) {
  Noise noise(8);
  const Tensor x = at::full({200, 200}, 3.0, on_device(at::kDouble)).requires_grad_();
  const Tensor y = dropout(x, 0.3, &noise);
  EXPECT_NEAR(y.mean().item<double>(), 3.0, 3 * slack(0.3, x.numel()) / 0.7);
  y.sum().backward();
  EXPECT_TRUE(close(x.grad() * 3.0, y));
}

TEST(DropoutTest, DoesNothingWithoutNoiseOrProbability) {
  const Tensor x = cosine({3, 4});
  Noise noise(8);
  EXPECT_TRUE(dropout(x, 0.5, nullptr).is_same(x));
  EXPECT_TRUE(dropout(x, 0.0, &noise).is_same(x));
  const Tensor ids = at::arange(5, on_device(at::kLong));
  EXPECT_TRUE(word_dropout(ids, ids.eq(0), 1, 0.5, nullptr).is_same(ids));
  EXPECT_TRUE(word_dropout(ids, ids.eq(0), 1, 0.0, &noise).is_same(ids));
}

TEST(WordDropoutTest, ReplacesItsShareOfTheWordsAndNothingElse) {
  Noise noise(9);
  const Tensor ids = at::arange(60000, on_device(at::kLong)).remainder(6).view({200, 300});  // 0..5
  const Tensor keep = ids.eq(0).logical_or(ids.eq(3));
  const Tensor result = word_dropout(ids, keep, 1, 0.2, &noise);
  EXPECT_EQ(result.scalar_type(), at::kLong);
  EXPECT_TRUE(result.eq(ids).logical_or(result.eq(1)).all().item<bool>());
  EXPECT_TRUE(result.eq(ids).masked_select(keep).all().item<bool>());
  const Tensor words = ids.gt(3).logical_or(ids.eq(2));
  const Tensor replaced = result.ne(ids).masked_select(words);
  EXPECT_NEAR(share(replaced), 0.2, slack(0.2, replaced.numel()));
}

}  // namespace
}  // namespace seq2seq::test
