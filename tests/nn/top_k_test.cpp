#include "seq2seq/nn/ops/top_k.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <vector>

#include "../support/shadow_device.h"
#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/layers/linear.h"
#include "seq2seq/nn/ops/kernel_sets.h"

namespace seq2seq {
namespace {

using test::on_device;

// No two values are equal.
Tensor distinct_logits(int64_t rows, int64_t width, at::ScalarType type) {
  return (at::arange(rows * width, on_device(at::kDouble)) * 0.7310585)
      .sin()
      .mul(8)
      .view({rows, width})
      .to(type);
}

// 0.5 * (0.1, 0.2, 0.3, 0.4) plus copies: 0.2 of token 1 from two positions, 0.29 of slot 4 from the third.
TEST(TopKMixture, AddsWhatIsCopied) {
  const Tensor logits = at::tensor({1.0, 2.0, 3.0, 4.0}, on_device(at::kDouble)).log().unsqueeze(0);
  const CopyShares shares{at::tensor({0.5}, on_device(at::kDouble)).view({1, 1}),
                          at::tensor({0.15, 0.05, 0.29, 0.0}, on_device(at::kDouble)).view({1, 4})};
  const Tensor slots = on_device(at::tensor(std::vector<int64_t>{1, 1, 4, -1})).view({1, 4});
  const TopK best = top_k_mixture(logits, shares, slots, 3, {3}, 3);
  EXPECT_TRUE(best.indices[0].equal(on_device(at::tensor(std::vector<int64_t>{1, 4, 2})))) << best.indices;
  EXPECT_NEAR(best.log_probabilities[0][0].item<double>(), std::log(0.3), 1e-12);
  EXPECT_NEAR(best.log_probabilities[0][1].item<double>(), std::log(0.29), 1e-12);
  EXPECT_NEAR(best.log_probabilities[0][2].item<double>(), std::log(0.15), 1e-12);
  EXPECT_NEAR(best.watched[0].item<double>(), std::log(0.2), 1e-12);
}

// The softmax of log(1), log(2), log(3), log(4) is 0.1, 0.2, 0.3, 0.4.
TEST(TopK, BannedWordsKeepTheirShare) {
  const Tensor logits = at::tensor({1.0, 2.0, 3.0, 4.0}, on_device(at::kDouble)).log().unsqueeze(0);
  const TopK best = top_k_log_softmax(logits, 2, {3}, 3);
  EXPECT_EQ(best.indices[0][0].item<int64_t>(), 2);
  EXPECT_EQ(best.indices[0][1].item<int64_t>(), 1);
  EXPECT_NEAR(best.log_probabilities[0][0].item<double>(), std::log(0.3), 1e-12);
  EXPECT_NEAR(best.log_probabilities[0][1].item<double>(), std::log(0.2), 1e-12);
  EXPECT_NEAR(best.watched[0].item<double>(), std::log(0.4), 1e-12);
}

// Scores: log 0.1 + 2 = -0.30, log 0.2 = -1.61, 2 log 0.3 = -2.41; 3 is forbidden.
TEST(TopK, AdjustmentsChangeTheOrderNotTheProbabilities) {
  const Tensor logits = at::tensor({1.0, 2.0, 3.0, 4.0}, on_device(at::kDouble)).log().unsqueeze(0);
  const double impossible = -std::numeric_limits<double>::infinity();
  const Adjustments adjustments{{{3, impossible, 0}, {0, 2.0, 0}, {2, 0, 1.0}}, {0, 3}};
  const TopK best = top_k_log_softmax(logits.clone(), 4, {}, 3, adjustments);
  EXPECT_TRUE(best.indices[0].narrow(0, 0, 3).equal(on_device(at::tensor(std::vector<int64_t>{0, 1, 2}))))
      << best.indices;
  for (int64_t i = 0; i < 3; ++i)
    EXPECT_NEAR(best.log_probabilities[0][i].item<double>(), std::log(0.1 * static_cast<double>(i + 1)),
                1e-12);
  EXPECT_EQ(best.log_probabilities[0][3].item<double>(), impossible);
  EXPECT_NEAR(best.watched[0].item<double>(), std::log(0.4), 1e-12);
  EXPECT_NEAR(best.adjusted[0].item<double>(), std::log(0.4), 1e-12);
  EXPECT_NEAR(best.adjusted[1].item<double>(), std::log(0.1), 1e-12);
  EXPECT_NEAR(best.adjusted[2].item<double>(), std::log(0.3), 1e-12);
  EXPECT_NEAR(best.likeliest[0].item<double>(), std::log(0.4), 1e-12);
}

// The words as above in "AddsWhatIsCopied": slot 4 has the probability 0.29, token 1 has 0.3.
TEST(TopKMixture, SlotsAreAdjusted) {
  const Tensor logits = at::tensor({1.0, 2.0, 3.0, 4.0}, on_device(at::kDouble)).log().unsqueeze(0);
  const CopyShares shares{at::tensor({0.5}, on_device(at::kDouble)).view({1, 1}),
                          at::tensor({0.15, 0.05, 0.29, 0.0}, on_device(at::kDouble)).view({1, 4})};
  const Tensor slots = on_device(at::tensor(std::vector<int64_t>{1, 1, 4, -1})).view({1, 4});
  const auto found = [&](double added, int64_t forbidden) {
    const Adjustments adjustments{{{4, added, 0}, {forbidden, -std::numeric_limits<double>::infinity(), 0}},
                                  {0, 2}};
    return top_k_mixture(logits.clone(), shares, slots, 2, {3}, 3, adjustments);
  };
  const TopK raised = found(0.5, 2);
  EXPECT_TRUE(raised.indices[0].equal(on_device(at::tensor(std::vector<int64_t>{4, 1})))) << raised.indices;
  EXPECT_NEAR(raised.log_probabilities[0][0].item<double>(), std::log(0.29), 1e-12);
  EXPECT_NEAR(raised.log_probabilities[0][1].item<double>(), std::log(0.3), 1e-12);
  EXPECT_NEAR(raised.adjusted[0].item<double>(), std::log(0.29), 1e-12);
  EXPECT_NEAR(raised.likeliest[0].item<double>(), std::log(0.3), 1e-12);
  const TopK lowered = found(-2.0, 1);
  EXPECT_TRUE(lowered.indices[0].equal(on_device(at::tensor(std::vector<int64_t>{2, 0})))) << lowered.indices;
}

TEST(TopK, AdjustmentsOfOtherRowsOrWordsAreRefused) {
  const auto of = [](const Adjustments& adjustments) {
    top_k_log_softmax(distinct_logits(2, 5, at::kFloat), 2, {}, 0, adjustments);
  };
  EXPECT_NO_THROW(of({{{4}}, {0, 0, 1}}));
  EXPECT_ANY_THROW(of({{{5}}, {0, 0, 1}}));
  EXPECT_ANY_THROW(of({{{-1}}, {0, 0, 1}}));
  EXPECT_ANY_THROW(of({{{4}}, {0, 1}}));
}

TEST(TopK, EqualOnesComeInOrder) {
  const TopK best = top_k_log_softmax(at::zeros({2, 130}, on_device(at::kFloat)), 3, {1}, 0);
  for (int64_t row = 0; row < 2; ++row)
    EXPECT_TRUE(best.indices[row].equal(at::tensor({0, 2, 3}, on_device(at::kLong))));
}

TEST(TopK, AllThatIsNotBannedCanBeTaken) {
  const TopK best = top_k_log_softmax(distinct_logits(2, 70, at::kFloat), 68, {5, 69}, 0);
  for (int64_t row = 0; row < 2; ++row) {
    const auto sorted = std::get<0>(best.indices[row].sort());
    EXPECT_EQ(sorted[4].item<int64_t>(), 4);
    EXPECT_EQ(sorted[5].item<int64_t>(), 6);
    EXPECT_EQ(sorted[67].item<int64_t>(), 68);
  }
  EXPECT_ANY_THROW(top_k_log_softmax(distinct_logits(2, 70, at::kFloat), 69, {5, 69}, 0));
}

// Nor do the rows beside it.
TEST(TopK, ColumnsOfMinusInfinityChangeNoBit) {
  const Tensor logits = distinct_logits(7, 48, at::kFloat).to(at::kCPU);
  logits.narrow(1, 41, 7).fill_(-std::numeric_limits<float>::infinity());
  const Adjustments adjustments{{{3, 1.5, 0}, {40, 0, 0.5}, {7, -1.0, 0}}, {0, 1, 1, 1, 3, 3, 3, 3}};
  for (const KernelSet* set : kernel_sets()) {
    if (!set->serves(logits)) continue;
    SCOPED_TRACE(set->name);
    const ComputeScope scope(&Compute::set, set);
    for (const Adjustments& by : {Adjustments{}, adjustments}) {
      const TopK expected = top_k_log_softmax(logits.clone(), 6, {0, 2}, 3, by);
      for (const int64_t more : {column_multiple, 5 * column_multiple, 64 * column_multiple}) {
        const Tensor padded =
            at::constant_pad_nd(logits, {0, more}, -std::numeric_limits<double>::infinity());
        const TopK actual = top_k_log_softmax(padded.clone(), 6, {0, 2}, 3, by);
        EXPECT_TRUE(actual.indices.equal(expected.indices));
        EXPECT_TRUE(actual.log_probabilities.equal(expected.log_probabilities));
        EXPECT_TRUE(actual.watched.equal(expected.watched));
        if (by.empty()) {
          const TopK alone = top_k_log_softmax(padded.narrow(0, 5, 1).clone(), 6, {0, 2}, 3);
          EXPECT_TRUE(alone.log_probabilities[0].equal(expected.log_probabilities[5]));
          continue;
        }
        EXPECT_TRUE(actual.adjusted.equal(expected.adjusted));
        EXPECT_TRUE(actual.likeliest.equal(expected.likeliest));
      }
    }
  }
}

}  // namespace
}  // namespace seq2seq
