#include "seq2seq/nn/ops/mean_distribution.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gmock/gmock.h>

#include <cmath>
#include <functional>
#include <limits>

#include "../support/fill.h"
#include "seq2seq/core/error.h"
#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/ops/kernel_sets.h"

namespace seq2seq::test {
namespace {

constexpr double no_probability = -std::numeric_limits<double>::infinity();
constexpr DistributionMean both_means[] = {DistributionMean::arithmetic, DistributionMean::geometric};

/// Log-probabilities [rows, width], one of each row minus infinity.
Tensor distributions(int64_t rows, int64_t width, int64_t start) {
  const Tensor logits = cosine({rows, width}, start, 8).to(at::kCPU);
  logits.select(1, width / 2).fill_(no_probability);
  return logits.log_softmax(1);
}

void for_each_mean_kernel(const std::function<void()>& run) {
  for (const KernelSet* set : kernel_sets())
    if (set->steps != nullptr && set->serves(at::empty({1}))) {
      SCOPED_TRACE(set->name);
      const ComputeScope scope(&Compute::set, set);
      run();
    }
}

// 0.1, 0.9 and 0.4, 0.6; their geometric mean is proportional to 0.2 and the square root of 0.54.
TEST(MeanDistribution, HasTheValuesOfItsDefinition) {
  const std::vector<Tensor> members{at::tensor({0.1, 0.9}, on_device(at::kDouble)).log().unsqueeze(0),
                                    at::tensor({0.4, 0.6}, on_device(at::kDouble)).log().unsqueeze(0)};
  const Tensor mean = mean_distribution(DistributionMean::arithmetic, members).exp();
  EXPECT_NEAR(mean[0][0].item<double>(), 0.25, 1e-12);
  EXPECT_NEAR(mean[0][1].item<double>(), 0.75, 1e-12);
  const double root = std::sqrt(0.54);
  const Tensor geometric = mean_distribution(DistributionMean::geometric, members).exp();
  EXPECT_NEAR(geometric[0][0].item<double>(), 0.2 / (0.2 + root), 1e-12);
  EXPECT_NEAR(geometric[0][1].item<double>(), root / (0.2 + root), 1e-12);
}

// The kernels against double precision, with members that lack the last columns.
TEST(MeanDistribution, OfFloatsEqualsThatOfDoubles) {
  for (const int64_t width : {3, 16, 33, 200})
    for (const size_t count : {1, 2, 5}) {
      std::vector<Tensor> exact, members;
      for (size_t i = 0; i < count; ++i) {
        exact.push_back(distributions(7, i == 1 ? width - 1 : width, 1000 * static_cast<int64_t>(i)));
        members.push_back(exact.back().to(at::kFloat));
      }
      for (const DistributionMean kind : both_means)
        for_each_mean_kernel([&] {
          const Tensor actual = mean_distribution(kind, members).to(at::kDouble),
                       expected = mean_distribution(kind, exact);
          ASSERT_EQ(actual.sizes(), expected.sizes());
          EXPECT_TRUE(actual.eq(no_probability).equal(expected.eq(no_probability)));
          EXPECT_TRUE(at::allclose(actual.clamp_min(-100), expected.clamp_min(-100), 2e-6, 2e-6))
              << width << " columns of " << count;
        });
    }
}

// Bits, whatever other rows, empty columns and threads there are.
TEST(MeanDistribution, ARowDependsOnItselfAlone) {
  const int threads = at::get_num_threads();
  const std::vector<Tensor> members{distributions(40, 1003, 0).to(at::kFloat),
                                    distributions(40, 1003, 7000).to(at::kFloat),
                                    distributions(40, 900, 90000).to(at::kFloat)};
  for (const DistributionMean kind : both_means)
    for_each_mean_kernel([&] {
      at::set_num_threads(1);
      const Tensor expected = mean_distribution(kind, members);
      for (const int64_t row : {0, 5, 39}) {
        std::vector<Tensor> alone;
        for (const Tensor& one : members)
          alone.push_back(at::constant_pad_nd(one.narrow(0, row, 1), {0, row}, no_probability));
        EXPECT_TRUE(mean_distribution(kind, alone).narrow(1, 0, 1003).equal(expected.narrow(0, row, 1)))
            << "row " << row;
      }
      at::set_num_threads(2);
      EXPECT_TRUE(mean_distribution(kind, members).equal(expected));
    });
  at::set_num_threads(threads);
}

TEST(MeanDistribution, WhatIsNotANumberStaysSo) {
  for (const DistributionMean kind : both_means)
    for_each_mean_kernel([&] {
      const Tensor broken = distributions(2, 33, 0).to(at::kFloat);
      broken[1][4] = std::numeric_limits<float>::quiet_NaN();
      const Tensor mean = mean_distribution(kind, {broken, distributions(2, 33, 50).to(at::kFloat)});
      EXPECT_FALSE(mean[0].isnan().any().item<bool>());
      EXPECT_TRUE(mean[1][4].isnan().item<bool>());
    });
}

TEST(MeanDistribution, AWrongKernelIsNoticedWhenChecked) {
  const std::vector<Tensor> members{cosine({3, 20}).to(at::kCPU, at::kFloat).log_softmax(1)};
  KernelSet wrong = *kernels_for(members.front(), &KernelSet::steps);
  StepKernels steps = *wrong.steps;
  steps.mean = [](DistributionMean, const MeanRows& rows) {
    for (int64_t i = 0; i < rows.rows * rows.width; ++i) rows.mean[i] = -1;
  };
  wrong.steps = &steps;
  const ComputeScope scope({.kernels = Kernels::check, .set = &wrong});
  EXPECT_THAT([&] { mean_distribution(DistributionMean::arithmetic, members); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("mean_distribution, output 0")));
}

}  // namespace
}  // namespace seq2seq::test
