#include "seq2seq/nn/engine/weight_store.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gmock/gmock.h>

#include <limits>

#include "../support/fill.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/options.h"
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
    EXPECT_NE(weights.packed(weight), nullptr);
    EXPECT_EQ(weights.packed(other), nullptr);
    EXPECT_EQ(weights.packed(bias), nullptr);
  }
}

// The promise of batch-invariant decoding: bits, with any number of rows beside and any number of threads.
class RowsOfProducts : public testing::TestWithParam<WeightFormat> {};

TEST_P(RowsOfProducts, DependOnTheirOwnRowAlone) {
  const at::NoGradGuard no_grad;
  const int threads = at::get_num_threads();
  for (const auto& [outputs, inputs] : {std::pair<int64_t, int64_t>{40, 33}, {256, 64}, {1000, 96}}) {
    const Tensor weight = cosine({outputs, inputs}).to(at::kFloat), bias = cosine({outputs}).to(at::kFloat),
                 x = cosine({320, inputs}).to(at::kFloat);
    WeightStore weights({weight}, GetParam());
    EXPECT_EQ(weights.packed(weight)->format, GetParam());
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

INSTANTIATE_TEST_SUITE_P(WeightStore, RowsOfProducts,
                         testing::Values(WeightFormat::float32, WeightFormat::bfloat16, WeightFormat::int8),
                         [](const auto& tested) { return option_name(tested.param); });

TEST(WeightStore, SmallWeightsStayInFloat32) {
  const auto format_in = [](int64_t outputs, int64_t inputs, WeightFormat wanted) {
    const Tensor weight = cosine({outputs, inputs}).to(at::kFloat);
    WeightStore store({weight}, wanted);
    EXPECT_EQ(store.format(), wanted);
    return store.packed(weight)->format;
  };
  for (const WeightFormat format : {WeightFormat::float32, WeightFormat::bfloat16, WeightFormat::int8}) {
    EXPECT_EQ(format_in(16, 16, format), format);
    EXPECT_EQ(format_in(1000, 17, format), format);
    EXPECT_EQ(format_in(1, 1000, format), WeightFormat::float32);
    EXPECT_EQ(format_in(15, 16, format), WeightFormat::float32);
    EXPECT_EQ(format_in(16, 15, format), WeightFormat::float32);
  }
}

// bfloat16 changes the weights alone, not how their products are added up.
TEST(WeightStore, ProductsInBfloat16AreThoseOfTheRoundedWeights) {
  const at::NoGradGuard no_grad;
  for (const auto& [outputs, inputs] : {std::pair<int64_t, int64_t>{16, 16}, {33, 17}, {100, 64}}) {
    const Tensor weight = cosine({outputs, inputs}).to(at::kFloat), bias = cosine({outputs}).to(at::kFloat),
                 rounded = weight.to(at::kBFloat16).to(at::kFloat);
    WeightStore halves({weight}, WeightFormat::bfloat16), whole({rounded});
    for_each_set([&](const KernelSet& set) {
      for (const int64_t rows : {1, 5, 7, 32}) {
        const Tensor x = cosine({rows, inputs}).to(at::kFloat);
        const auto product = [&](WeightStore& store, const Tensor& factor) {
          const ComputeScope use({.set = &set, .weights = &store});
          return seq2seq::linear(x, factor, bias);
        };
        EXPECT_TRUE(product(halves, weight).equal(product(whole, rounded))) << rows << " x " << inputs;
        EXPECT_FALSE(product(halves, weight).equal(product(whole, weight)));
      }
    });
  }
}

TEST(WeightStore, ProductsInInt8AreNear) {
  const at::NoGradGuard no_grad;
  const Tensor weight = cosine({70, 96}).to(at::kFloat), x = cosine({5, 96}, 7).to(at::kFloat);
  WeightStore store({weight}, WeightFormat::int8);
  for_each_set([&](const KernelSet& set) {
    const ComputeScope use({.set = &set, .weights = &store});
    const Tensor y = seq2seq::linear(x, weight), expected = at::linear(x, weight);
    const auto difference = ((y - expected).norm() / expected.norm()).item<double>();
    EXPECT_GT(difference, 1e-4);
    EXPECT_LT(difference, 0.02);
  });
}

// What embeddings read are the numbers that products multiply by.
TEST(WeightStore, RowsAreRoundedAsProductsAre) {
  const at::NoGradGuard no_grad;
  const Tensor weight = cosine({33, 17}).to(at::kFloat), other = cosine({33, 17}, 5).to(at::kFloat),
               small = cosine({33, 15}).to(at::kFloat), ids = at::tensor({32, 0, 5, 5}, at::kLong);
  for (const WeightFormat format : {WeightFormat::bfloat16, WeightFormat::int8}) {
    SCOPED_TRACE(option_name(format));
    WeightStore store({weight, small}, format);
    const QuantizedWeight expected = quantize(weight, format), *rows = store.rows(weight);
    ASSERT_NE(rows, nullptr);
    EXPECT_EQ(rows->format(), format);
    EXPECT_TRUE(rows->values.equal(expected.values));
    const Tensor all = rows->dequantized();
    if (format == WeightFormat::int8) {
      EXPECT_TRUE(rows->scales.equal(expected.scales));
      EXPECT_TRUE(all.equal(expected.values.to(at::kFloat) * expected.scales.unsqueeze(1)));
    } else {
      EXPECT_TRUE(all.equal(weight.to(at::kBFloat16).to(at::kFloat)));
    }
    EXPECT_FALSE(all.equal(weight));
    EXPECT_LT((all - weight).abs().max().item<float>(), 0.01);
    EXPECT_TRUE(rows->rows(ids).equal(all.index_select(0, ids)));
    EXPECT_TRUE(rows->rows(ids.view({2, 2})).equal(all.index_select(0, ids).view({2, 2, 17})));
    EXPECT_TRUE(rows->select(ids).dequantized().equal(all.index_select(0, ids)));
    std::vector<float> row(17);
    rows->copy_row(32, row.data());
    EXPECT_TRUE(at::tensor(row).equal(all[32]));
    EXPECT_EQ(store.rows(small), nullptr);
    EXPECT_EQ(store.rows(other), nullptr);
    WeightStore whole({weight});
    EXPECT_EQ(whole.rows(weight), nullptr);
    EXPECT_EQ(store.packed(weight)->format, format);
  }
}

TEST(WeightStore, UsesNumbersThatAreKeptForAWeightInsteadOfItsOwn) {
  const at::NoGradGuard no_grad;
  const Tensor weight = cosine({33, 17}).to(at::kFloat), x = cosine({5, 17}, 7).to(at::kFloat),
               none = at::full({}, std::numeric_limits<float>::quiet_NaN()).expand({33, 17});
  for (const WeightFormat format : {WeightFormat::bfloat16, WeightFormat::int8}) {
    WeightStore own({weight}, format), kept({none}, format);
    kept.keep(none, quantize(weight, format));
    for_each_set([&](const KernelSet& set) {
      const auto product = [&](WeightStore& store, const Tensor& factor) {
        const ComputeScope use({.set = &set, .weights = &store});
        return seq2seq::linear(x, factor);
      };
      EXPECT_TRUE(product(kept, none).equal(product(own, weight))) << option_name(format);
    });
    EXPECT_TRUE(kept.rows(none)->dequantized().equal(own.rows(weight)->dequantized()));
  }
}

TEST(WeightStore, AWrongKernelIsNoticedWhenChecked) {
  const Tensor weight = cosine({33, 17}).to(at::kFloat), x = cosine({5, 17}).to(at::kFloat);
  WeightStore weights({weight});
  KernelSet wrong = *kernels_for(x);
  wrong.packed_product = [](const Tensor&, const WeightPanels&, const Tensor&, const Tensor& y) {
    y.fill_(1);
  };
  const ComputeScope scope({.kernels = Kernels::check, .set = &wrong, .weights = &weights});
  EXPECT_THAT([&] { seq2seq::linear(x, weight); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("linear, output 0")));
}

}  // namespace
}  // namespace seq2seq::test
