#include "seq2seq/nn/multi_head_attention.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "../support/compare.h"
#include "../support/gradcheck.h"
#include "seq2seq/nn/masks.h"

namespace seq2seq::test {
namespace {

constexpr int64_t sentences = 3, heads = 2, head_width = 4, length = 5;

struct Case {
  bool causal, masked;
};

class AttendTest : public ::testing::TestWithParam<Case> {
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

// Dropped weights are zero and the others grow; what is expected comes from the same mask on plain weights.
TEST_P(AttendTest, DropoutIsOnTheWeights) {
  const double p = 0.4;
  Noise noise(7), same_noise(7);
  const Tensor actual = attend(queries, memory, visible(), {p, &noise});
  const Tensor weights = attend_with_weights(queries, memory, visible()).second;
  const Tensor expected = (weights * same_noise.mask(weights, p)).matmul(memory.values);
  EXPECT_TRUE(close(actual, expected.transpose(1, 2).flatten(2)));
  EXPECT_FALSE(close(actual, attend(queries, memory, visible()), 1e-3));
}

TEST_P(AttendTest, FastEqualsPlain) {
  for (const auto type : {at::kDouble, at::kFloat}) {
    std::vector<Tensor> leaves;
    for (const Tensor& leaf : {queries, memory.keys, memory.values})
      leaves.push_back(leaf.detach().to(type).requires_grad_());
    for (const double p : {0.0, 0.3}) {
      const auto run = [&] {
        Noise noise(5);
        const Tensor out = attend(leaves[0], {leaves[1], leaves[2]}, visible(), {p, &noise});
        auto values = torch::autograd::grad({(out * cosine(out.sizes(), 3).to(type)).sum()}, leaves);
        values.push_back(out);
        return values;
      };
      const auto fast = run();
      const PlainKernels plain;
      const auto slow = run();
      for (size_t i = 0; i < fast.size(); ++i)
        EXPECT_TRUE(close(fast[i], slow[i], type == at::kFloat ? 1e-5 : 1e-11)) << "tensor " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, AttendTest,
                         ::testing::Values(Case{false, false}, Case{false, true}, Case{true, false},
                                           Case{true, true}),
                         [](const auto& test) {
                           return std::string(test.param.causal ? "causal" : "all") +
                                  (test.param.masked ? "_masked" : "");
                         });

// Below, at and above the width of the kernel's lanes, laid out as the products of a layer are.
TEST(AttendSizesTest, FastEqualsPlain) {
  struct Sizes {
    int64_t queries, keys, width;
    bool causal;
  };
  for (const Sizes& size : {Sizes{3, 5, 4, false}, Sizes{9, 37, 20, false}, Sizes{1, 16, 16, false},
                            Sizes{1, 33, 40, false}, Sizes{3, 33, 17, false}, Sizes{5, 1, 3, false},
                            Sizes{1, 1, 1, true}, Sizes{21, 21, 17, true}, Sizes{48, 48, 32, true}}) {
    for (const auto type : {at::kDouble, at::kFloat}) {
      const auto input = [&](int64_t count, int64_t parts, int64_t start) {
        return cosine({sentences, count, parts * heads * size.width}, start).to(type).requires_grad_();
      };
      const std::vector<Tensor> leaves{input(size.queries, 1, 10), input(size.keys, 2, 500)};
      const Tensor lengths = at::tensor({size.keys, int64_t{1}, (size.keys + 1) / 2}, on_device(at::kLong));
      const auto run = [&] {
        Noise noise(5);
        const auto parts = leaves[1].chunk(2, -1);
        const HeadMemory memory{split_heads(parts[0], heads), split_heads(parts[1], heads)};
        const Visible visible{length_mask(lengths, leaves[1].select(2, 0)), size.causal};
        const Tensor out =
            at::cat({attend(split_heads(leaves[0], heads), memory, visible),
                     attend(split_heads(leaves[0], heads), memory, {{}, size.causal}, {0.3, &noise})});
        auto values = torch::autograd::grad({(out * cosine(out.sizes(), 3).to(type)).sum()}, leaves);
        values.push_back(out);
        return values;
      };
      const auto fast = run();
      const PlainKernels plain;
      const auto slow = run();
      for (size_t i = 0; i < fast.size(); ++i)
        EXPECT_TRUE(close(fast[i], slow[i], type == at::kFloat ? 1e-5 : 1e-11))
            << size.queries << " x " << size.keys << " x " << size.width << ", tensor " << i;
    }
  }
}

TEST(AttendSizesTest, WhatDoesNotFitIsRefused) {
  const Tensor queries = cosine({2, 2, 3, 4});
  const HeadMemory memory{cosine({2, 2, 5, 4}), cosine({2, 2, 5, 4})};
  EXPECT_THROW(attend(queries, memory, {.causal = true}), c10::Error);
  EXPECT_THROW(attend(queries, memory, {at::ones({1, 5}, on_device(at::kBool))}), c10::Error);
  EXPECT_THROW(attend(queries, {memory.keys.narrow(0, 0, 1), memory.values}, {}), c10::Error);
}

}  // namespace
}  // namespace seq2seq::test
