#include "seq2seq/nn/ops/cross_entropy.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "../support/compare.h"
#include "../support/gradcheck.h"
#include "seq2seq/nn/layers/linear.h"

namespace seq2seq::test {
namespace {

struct NaiveLoss {
  double loss = 0, negative_log_likelihood = 0;
};

NaiveLoss naive_loss(const Tensor& features, const Tensor& weight, const Tensor& bias, const Tensor& targets,
                     double smoothing) {
  NaiveLoss sums;
  for (int64_t r = 0; r < features.size(0); ++r) {
    std::vector<double> logits;
    for (int64_t v = 0; v < weight.size(0); ++v) {
      double logit = bias.defined() ? bias[v].item<double>() : 0.0;
      for (int64_t h = 0; h < weight.size(1); ++h)
        logit += features[r][h].item<double>() * weight[v][h].item<double>();
      logits.push_back(logit);
    }
    const double peak = *std::ranges::max_element(logits);
    double total = 0, mean = 0;
    for (const double logit : logits) total += std::exp(logit - peak);
    for (const double logit : logits)
      mean += (peak + std::log(total) - logit) / static_cast<double>(logits.size());
    const double nll = peak + std::log(total) - logits[static_cast<size_t>(targets[r].item<int64_t>())];
    sums.negative_log_likelihood += nll;
    sums.loss += (1 - smoothing) * nll + smoothing * mean;
  }
  return sums;
}

Tensor some_targets(int64_t rows, int64_t vocabulary) {
  return (at::arange(rows, on_device(at::kLong)) * 7 + 3).remainder(vocabulary);
}

TEST(ProjectedCrossEntropyTest, EqualsTorch) {
  for (const auto& expected : read_reference("nn_losses")) {
    const auto sizes = expected["sizes"].get<std::vector<int64_t>>();
    const bool with_bias = expected["with_bias"].get<bool>();
    std::vector<Tensor> leaves{cosine_leaf({sizes[0], sizes[1]}, 0, 2.0),
                               cosine_leaf({sizes[2], sizes[1]}, 100, 1.5)};
    if (with_bias) leaves.push_back(cosine_leaf({sizes[2]}, 200, 1.0));
    const Tensor targets = at::tensor(expected["targets"].get<std::vector<int64_t>>(), on_device(at::kLong));
    const LossSums sums = projected_cross_entropy(leaves[0], leaves[1], with_bias ? leaves[2] : Tensor(),
                                                  targets, expected["smoothing"].get<double>());
    EXPECT_NEAR(sums.loss.item<double>(), expected["loss"].get<double>(), 1e-12);
    EXPECT_NEAR(sums.negative_log_likelihood.item<double>(),
                expected["negative_log_likelihood"].get<double>(), 1e-12);
    const auto gradients = torch::autograd::grad({sums.loss}, leaves);
    EXPECT_TRUE(close(gradients[0], tensor_of(expected["features_gradient"], {sizes[0], sizes[1]}), 1e-12));
    EXPECT_TRUE(close(gradients[1], tensor_of(expected["weight_gradient"], {sizes[2], sizes[1]}), 1e-12));
    if (with_bias) {
      EXPECT_TRUE(close(gradients[2], tensor_of(expected["bias_gradient"], {sizes[2]}), 1e-12));
    }
  }
}

TEST(ProjectedCrossEntropyTest, EqualsTheLoopsWrittenOut) {
  for (const int64_t vocabulary : {1, 3, 17, 130})
    for (const double smoothing : {0.0, 0.1})
      for (const bool with_bias : {true, false}) {
        const Tensor features = cosine({5, 3}, 0, 2.0), weight = cosine({vocabulary, 3}, 100, 2.0);
        const Tensor bias = with_bias ? cosine({vocabulary}, 900) : Tensor();
        const Tensor targets = some_targets(5, vocabulary);
        const NaiveLoss expected = naive_loss(features, weight, bias, targets, smoothing);
        const LossSums in_double = projected_cross_entropy(features, weight, bias, targets, smoothing);
        EXPECT_NEAR(in_double.loss.item<double>(), expected.loss, 1e-11) << vocabulary;
        EXPECT_NEAR(in_double.negative_log_likelihood.item<double>(), expected.negative_log_likelihood,
                    1e-11);
        const LossSums in_float =
            projected_cross_entropy(features.to(at::kFloat), weight.to(at::kFloat),
                                    with_bias ? bias.to(at::kFloat) : Tensor(), targets, smoothing);
        EXPECT_NEAR(in_float.loss.item<double>(), expected.loss, 1e-5 * (1 + expected.loss)) << vocabulary;
      }
}

TEST(ProjectedCrossEntropyTest, GradientsEqualDifferences) {
  for (const double smoothing : {0.0, 0.1})
    for (const bool with_bias : {true, false}) {
      const Tensor features = cosine_leaf({4, 3}, 0), weight = cosine_leaf({6, 3}, 100);
      const Tensor bias = with_bias ? cosine_leaf({6}, 200) : Tensor();
      std::vector<Tensor> leaves{features, weight};
      if (with_bias) leaves.push_back(bias);
      const Tensor targets = some_targets(4, 6);
      EXPECT_TRUE(gradients_agree(
          [&] { return projected_cross_entropy(features, weight, bias, targets, smoothing).loss * 1.7; },
          leaves));
    }
}

TEST(ProjectedCrossEntropyTest, TheValueDoesNotDependOnWhetherGradientsAreWanted) {
  const Tensor features = cosine_leaf({5, 3}, 0), weight = cosine_leaf({7, 3}, 100),
               bias = cosine_leaf({7}, 200);
  const Tensor targets = some_targets(5, 7);
  const LossSums trained = projected_cross_entropy(features, weight, bias, targets, 0.1);
  EXPECT_FALSE(trained.negative_log_likelihood.requires_grad());
  const at::NoGradGuard no_grad;
  const LossSums validated = projected_cross_entropy(features, weight, bias, targets, 0.1);
  EXPECT_TRUE(close(validated.loss, trained.loss, 1e-13));
  EXPECT_TRUE(close(validated.negative_log_likelihood, trained.negative_log_likelihood, 1e-13));
}

TEST(ProjectedCrossEntropyTest, EveryLeafGetsItsGradientWithoutTheOthers) {
  for (size_t wanted = 0; wanted < 3; ++wanted) {
    std::vector<Tensor> leaves{cosine({5, 3}, 0), cosine({7, 3}, 100), cosine({7}, 200)};
    std::vector<Tensor> all;
    for (const Tensor& leaf : leaves) all.push_back(leaf.clone().requires_grad_());
    leaves[wanted].requires_grad_();
    const Tensor targets = some_targets(5, 7);
    projected_cross_entropy(all[0], all[1], all[2], targets, 0.1).loss.backward();
    projected_cross_entropy(leaves[0], leaves[1], leaves[2], targets, 0.1).loss.backward();
    EXPECT_TRUE(close(leaves[wanted].grad(), all[wanted].grad(), 1e-13));
    for (size_t i = 0; i < 3; ++i) EXPECT_EQ(leaves[i].grad().defined(), i == wanted);
  }
}

TEST(ProjectedCrossEntropyTest, NoRowsCostNothing) {
  const Tensor features = at::empty({0, 3}, on_device(at::kDouble)).requires_grad_(),
               weight = cosine_leaf({7, 3}, 100);
  const LossSums sums =
      projected_cross_entropy(features, weight, {}, at::empty({0}, on_device(at::kLong)), 0.1);
  sums.loss.backward();
  EXPECT_EQ(sums.loss.item<double>(), 0);
  EXPECT_TRUE(same(weight.grad(), at::zeros_like(weight)));
}

// Logits of +-scale: a confident model's loss is 0 where it is right and the logit gap where it is wrong.
TEST(ProjectedCrossEntropyTest, ExtremeLogitsStayExact) {
  for (const auto type : {at::kDouble, at::kFloat})
    for (const double scale : {50.0, 1e4}) {
      const Tensor features = at::tensor({1.0, -1.0}, on_device(type)).view({2, 1}).requires_grad_();
      const Tensor weight = at::tensor({scale, -scale, 0.0}, on_device(type)).view({3, 1}).requires_grad_();
      const Tensor targets = at::tensor({0, 0}, on_device(at::kLong));
      const LossSums sums = projected_cross_entropy(features, weight, {}, targets, 0.3);
      // Row 0 is right, row 1 is wrong by 2 * scale; both have mean_v(-log p) = scale.
      EXPECT_NEAR(sums.negative_log_likelihood.item<double>(), 2 * scale, 1e-6 * scale);
      EXPECT_NEAR(sums.loss.item<double>(), 0.7 * 2 * scale + 0.3 * 2 * scale, 1e-6 * scale);
      sums.loss.backward();
      // d loss / d logits is p - 0.7 [target] - 0.1: (0.2, -0.1, -0.1) and (-0.8, 0.9, -0.1).
      EXPECT_TRUE(
          close(weight.grad(), at::tensor({1.0, -1.0, 0.0}, on_device(at::kDouble)).view({3, 1}), 1e-6));
      EXPECT_TRUE(close(features.grad(),
                        at::tensor({0.3 * scale, -1.7 * scale}, on_device(at::kDouble)).view({2, 1}), 1e-6));
    }
}

// Divergence is detected by the loss, so NaN must reach it.
TEST(ProjectedCrossEntropyTest, ANotANumberIsNotHidden) {
  for (const auto type : {at::kDouble, at::kFloat})
    for (const bool with_gradient : {true, false})
      for (const int64_t place : {0, 4, 16})  // the first, the target, the last
        for (const double poison : {std::nan(""), std::numeric_limits<double>::infinity()}) {
          const Tensor bias = at::zeros({17}, on_device(type));
          bias[place] = poison;
          const Tensor features = cosine({1, 3}).to(type).requires_grad_(with_gradient);
          const LossSums sums = projected_cross_entropy(features, cosine({17, 3}, 50).to(type), bias,
                                                        at::tensor({4}, on_device(at::kLong)), 0.1);
          EXPECT_FALSE(std::isfinite(sums.loss.item<double>())) << place << " " << poison;
          if (with_gradient) {
            sums.loss.backward();
            EXPECT_TRUE(features.grad().isnan().any().item<bool>());
          }
        }
}

}  // namespace
}  // namespace seq2seq::test
