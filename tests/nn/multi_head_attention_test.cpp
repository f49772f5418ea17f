#include "seq2seq/nn/layers/multi_head_attention.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "../support/compare.h"
#include "../support/gradcheck.h"
#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/masks.h"
#include "seq2seq/nn/ops/kernel_sets.h"

namespace seq2seq::test {
namespace {

constexpr int64_t sentences = 3, heads = 2, head_width = 4, length = 5;

struct AttendCase {
  bool causal, masked;
};

class AttendTest : public ::testing::TestWithParam<AttendCase> {
 protected:
  int64_t query_count() const { return GetParam().causal ? length : 3; }
  Tensor queries = cosine_leaf({sentences, heads, query_count(), head_width}, 100, 1.5);
  HeadMemory memory{cosine_leaf({sentences, heads, length, head_width}, 1000, 1.5),
                    cosine_leaf({sentences, heads, length, head_width}, 2000)};
  Tensor lengths = at::tensor({5, 1, 3}, on_device(at::kLong));

  Visible visible() const {
    Visible result{.causal = GetParam().causal};
    if (GetParam().masked) result.mask = length_mask(lengths, memory.keys.select(3, 0).select(1, 0));
    return result;
  }

  bool sees(int64_t b, int64_t q, int64_t s) const {
    return (!GetParam().causal || s <= q) && (!GetParam().masked || s < lengths[b].item<int64_t>());
  }
};

TEST_P(AttendTest, EqualsTheLoopsWrittenOut) {
  const auto [context, weights] = attend_with_weights(queries, memory, visible());
  const Tensor fused = attend(queries, memory, visible());
  ASSERT_EQ(fused.sizes(), at::IntArrayRef({sentences, query_count(), heads * head_width}));
  EXPECT_TRUE(close(fused, context));
  for (int64_t b = 0; b < sentences; ++b)
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t q = 0; q < query_count(); ++q) {
        std::vector<double> exponentials;
        double sum = 0;
        for (int64_t s = 0; s < length; ++s) {
          double product = 0;
          for (int64_t i = 0; i < head_width; ++i)
            product += queries[b][h][q][i].item<double>() * memory.keys[b][h][s][i].item<double>();
          exponentials.push_back(sees(b, q, s) ? std::exp(product / std::sqrt(head_width)) : 0.0);
          sum += exponentials.back();
        }
        for (int64_t i = 0; i < head_width; ++i) {
          double expected = 0;
          for (int64_t s = 0; s < length; ++s)
            expected += exponentials[static_cast<size_t>(s)] / sum * memory.values[b][h][s][i].item<double>();
          EXPECT_NEAR(context[b][q][h * head_width + i].item<double>(), expected, 1e-12);
        }
        for (int64_t s = 0; s < length; ++s)
          EXPECT_NEAR(weights[b][h][q][s].item<double>(), exponentials[static_cast<size_t>(s)] / sum, 1e-12);
      }
}

// In an encoder they grow with the square of the length.
TEST_P(AttendTest, WeightsExistOnlyWhereTheyAreWanted) {
  const at::NoGradGuard no_grad;
  static const KernelSet* fast = nullptr;
  static std::vector<bool> stored;
  fast = kernels_for(queries, &KernelSet::attend);
  if (fast == nullptr) GTEST_SKIP() << "no kernels for this device";
  stored.clear();
  KernelSet watched = *fast;
  watched.attend = [](const HeadOperands& operands, const Tensor& weights, const Tensor& context) {
    stored.push_back(weights.defined());
    fast->attend(operands, weights, context);
  };
  const ComputeScope scope(&Compute::set, &watched);
  const Tensor alone = attend(queries, memory, visible());
  const auto [context, weights] = attend_with_weights(queries, memory, visible());
  EXPECT_EQ(stored, (std::vector<bool>{false, true}));
  EXPECT_TRUE(alone.equal(context));
  EXPECT_TRUE(close(weights.sum(3), at::ones({sentences, heads, query_count()}, queries.options())));
}

TEST_P(AttendTest, GradientsEqualDifferences) {
  EXPECT_TRUE(gradients_agree([&] { return attend(queries, memory, visible()); },
                              {queries, memory.keys, memory.values}));
  EXPECT_TRUE(gradients_agree(
      [&] {
        Noise noise(3);
        return attend(queries, memory, visible(), {0.3, &noise});
      },
      {queries, memory.keys, memory.values}));
}

// Dropped weights are zero and the others are scaled up: as the same mask applied to weights without dropout.
TEST_P(AttendTest, DropoutIsOnTheWeights) {
  const double p = 0.4;
  Noise noise(7), same_noise(7);
  const Tensor actual = attend(queries, memory, visible(), {p, &noise});
  const Tensor weights = attend_with_weights(queries, memory, visible()).second;
  const Tensor expected = (weights * same_noise.mask(weights, p)).matmul(memory.values);
  EXPECT_TRUE(close(actual, expected.transpose(1, 2).flatten(2)));
  EXPECT_FALSE(close(actual, attend(queries, memory, visible()), 1e-3));
}

INSTANTIATE_TEST_SUITE_P(Cases, AttendTest,
                         ::testing::Values(AttendCase{false, false}, AttendCase{false, true},
                                           AttendCase{true, false}, AttendCase{true, true}),
                         [](const auto& test) {
                           return std::string(test.param.causal ? "causal" : "all") +
                                  (test.param.masked ? "_masked" : "");
                         });

TEST(AttendSizesTest, WhatDoesNotFitIsRefused) {
  const Tensor queries = cosine({2, 2, 3, 4});
  const HeadMemory memory{cosine({2, 2, 5, 4}), cosine({2, 2, 5, 4})};
  EXPECT_THROW(attend(queries, memory, {.causal = true}), c10::Error);
  EXPECT_THROW(attend(queries, memory, {at::ones({1, 5}, on_device(at::kBool))}), c10::Error);
  EXPECT_THROW(attend(queries, {memory.keys.narrow(0, 0, 1), memory.values}, {}), c10::Error);
  for (const int64_t number : {0, -1, 3}) {
    EXPECT_THROW(SelfAttention(8, number, 0.0), c10::Error);
    EXPECT_THROW(CrossAttention(8, 8, number, 0.0), c10::Error);
  }
}

}  // namespace
}  // namespace seq2seq::test
