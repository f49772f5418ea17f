#include "seq2seq/nn/engine/weight_store.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "../support/fill.h"
#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/ops/linear.h"

namespace seq2seq {
namespace {

TEST(WeightStore, ProductsStayTheSame) {
  const at::NoGradGuard no_grad;
  for (const auto& [outputs, inputs] : {std::pair<int64_t, int64_t>{33, 17}, {128, 64}, {1000, 96}}) {
    const Tensor weight = test::cosine({outputs, inputs}).to(at::kFloat),
                 bias = test::cosine({outputs}).to(at::kFloat);
    const Tensor other = test::cosine({outputs, inputs}).to(at::kFloat) * 2;
    WeightStore weights({weight, bias});
    for (const int64_t rows : {1, 2, 5, 32, 160}) {
      const Tensor x = test::cosine({rows, inputs}).to(at::kFloat);
      const Tensor expected = at::linear(x.to(at::kDouble), weight.to(at::kDouble), bias.to(at::kDouble));
      const ComputeScope use(&Compute::weights, &weights);
      const Tensor actual = seq2seq::linear(x, weight, bias);
      EXPECT_TRUE(at::allclose(actual.to(at::kDouble), expected, 1e-5, 1e-5)) << rows << " x " << inputs;
      EXPECT_TRUE(at::allclose(seq2seq::linear(x, weight), actual - bias, 1e-5, 1e-5));
      // `other` is not in the store.
      EXPECT_TRUE(at::allclose(seq2seq::linear(x, other), 2 * (actual - bias), 1e-5, 1e-5));
    }
    EXPECT_EQ(Compute::now().weights, nullptr);
    EXPECT_TRUE(weights.packed(weight).defined());
    EXPECT_FALSE(weights.packed(other).defined());
    EXPECT_FALSE(weights.packed(bias).defined());
  }
}

}  // namespace
}  // namespace seq2seq
