#include "seq2seq/nn/engine/weight_store.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gmock/gmock.h>

#include "../support/fill.h"
#include "seq2seq/core/error.h"
#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/ops/kernel_sets.h"
#include "seq2seq/nn/ops/linear.h"

namespace seq2seq::test {
namespace {

/// For each kernel set that this machine has: the products of tensors of floats on the CPU.
void for_each_set(const std::function<void(const KernelSet&)>& run) {
  for (const KernelSet* set : kernel_sets())
    if (set->packed_product != nullptr && set->serves(at::empty({1}))) {
      SCOPED_TRACE(set->name);
      run(*set);
    }
}

TEST(WeightStore, ProductsStayTheSame) {
  const at::NoGradGuard no_grad;
  for (const auto& [outputs, inputs] : {std::pair<int64_t, int64_t>{1, 3}, {33, 17}, {128, 64}, {1000, 96}}) {
    const Tensor weight = cosine({outputs, inputs}).to(at::kFloat), bias = cosine({outputs}).to(at::kFloat),
                 other = cosine({outputs, inputs}).to(at::kFloat) * 2;
    WeightStore weights({weight, bias});
    for_each_set([&](const KernelSet& set) {
      for (const int64_t rows : {1, 2, 5, 32, 160}) {
        const Tensor x = cosine({rows, inputs}).to(at::kFloat);
        const Tensor expected = at::linear(x.to(at::kDouble), weight.to(at::kDouble), bias.to(at::kDouble));
        const ComputeScope use({.set = &set, .weights = &weights});
        const Tensor actual = seq2seq::linear(x, weight, bias);
        EXPECT_TRUE(at::allclose(actual.to(at::kDouble), expected, 1e-5, 1e-5)) << rows << " x " << inputs;
        EXPECT_TRUE(at::allclose(seq2seq::linear(x, weight), actual - bias, 1e-5, 1e-5));
        EXPECT_TRUE(seq2seq::linear(x.t().contiguous().t(), weight, bias).equal(actual));
        EXPECT_TRUE(seq2seq::linear(x.unsqueeze(1), weight, bias).equal(actual.unsqueeze(1)));
        // `other` is not in the store.
        EXPECT_TRUE(at::allclose(seq2seq::linear(x, other), 2 * (actual - bias), 1e-5, 1e-5));
      }
      EXPECT_EQ(seq2seq::linear(at::empty({0, inputs}), weight, bias).numel(), 0);
    });
    EXPECT_EQ(Compute::now().weights, nullptr);
    EXPECT_TRUE(weights.packed(weight).defined());
    EXPECT_FALSE(weights.packed(other).defined());
    EXPECT_FALSE(weights.packed(bias).defined());
  }
}

// The promise of batch-invariant decoding: bits, with any number of rows beside and any number of threads.
TEST(WeightStore, ARowsProductDependsOnThatRowAlone) {
  const at::NoGradGuard no_grad;
  const int threads = at::get_num_threads();
  for (const auto& [outputs, inputs] : {std::pair<int64_t, int64_t>{40, 33}, {256, 64}, {1000, 96}}) {
    const Tensor weight = cosine({outputs, inputs}).to(at::kFloat), bias = cosine({outputs}).to(at::kFloat),
                 x = cosine({320, inputs}).to(at::kFloat);
    WeightStore weights({weight});
    for_each_set([&](const KernelSet& set) {
      const ComputeScope use({.set = &set, .weights = &weights});
      std::vector<Tensor> alone;
      for (int64_t row = 0; row < x.size(0); ++row)
        alone.push_back(seq2seq::linear(x.narrow(0, row, 1), weight, bias));
      const Tensor expected = at::cat(alone);
      for (const int count : {1, 2}) {
        at::set_num_threads(count);
        for (int64_t rows = 2; rows <= x.size(0); rows += rows < 20 ? 1 : 23)
          EXPECT_TRUE(seq2seq::linear(x.narrow(0, 320 - rows, rows), weight, bias)
                          .equal(expected.narrow(0, 320 - rows, rows)))
              << rows << " rows, " << count << " threads";
      }
      at::set_num_threads(threads);
    });
  }
}

TEST(WeightStore, AWrongKernelIsNoticedWhenChecked) {
  const Tensor weight = cosine({33, 17}).to(at::kFloat), x = cosine({5, 17}).to(at::kFloat);
  WeightStore weights({weight});
  KernelSet wrong = *kernels_for(x);
  wrong.packed_product = [](const Tensor&, const Tensor&, const Tensor&, const Tensor& y) { y.fill_(1); };
  const ComputeScope scope({.kernels = Kernels::check, .set = &wrong, .weights = &weights});
  EXPECT_THAT([&] { seq2seq::linear(x, weight); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("linear, output 0")));
}

}  // namespace
}  // namespace seq2seq::test
