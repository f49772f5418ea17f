#include "seq2seq/nn/layers/linear.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "../support/compare.h"
#include "../support/gradcheck.h"
#include "seq2seq/nn/engine/capabilities.h"
#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/engine/gathered_gradients.h"
#include "seq2seq/nn/engine/products.h"

namespace seq2seq::test {
namespace {

// y[r][o] = b[o] + sum_i x[r][i] w[o][i] in double.
Tensor naive_linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const Tensor rows = x.detach().to(at::kCPU, at::kDouble).reshape({-1, x.size(-1)}).contiguous();
  const Tensor w = weight.detach().to(at::kCPU, at::kDouble).contiguous();
  const Tensor y = at::zeros({rows.size(0), w.size(0)}, at::kDouble);
  const auto xs = rows.accessor<double, 2>(), ws = w.accessor<double, 2>();
  auto ys = y.accessor<double, 2>();
  for (int64_t r = 0; r < y.size(0); ++r)
    for (int64_t o = 0; o < y.size(1); ++o) {
      double sum = bias.defined() ? bias[o].item<double>() : 0.0;
      for (int64_t i = 0; i < rows.size(1); ++i) sum += xs[r][i] * ws[o][i];
      ys[r][o] = sum;
    }
  std::vector<int64_t> sizes(x.sizes().begin(), x.sizes().end());
  sizes.back() = w.size(0);
  return y.view(sizes);
}

struct Shape {
  std::vector<int64_t> x;
  int64_t outputs;
};

// One row and one column, a vector, odd sizes, three dimensions, both operand orders of the weight gradient.
const Shape shapes[] = {{{1, 1}, 1}, {{7}, 3}, {{5, 17}, 3}, {{2, 3, 4}, 9}, {{33, 130}, 65}, {{40, 3}, 130}};

TEST(LinearTest, EqualsTheSumWrittenOut) {
  for (const Shape& shape : shapes)
    for (const auto type : {at::kFloat, at::kDouble})
      for (const bool with_bias : {true, false}) {
        const Tensor x = cosine(shape.x, 0).to(type),
                     weight = cosine({shape.outputs, shape.x.back()}, 500).to(type);
        const Tensor bias = with_bias ? cosine({shape.outputs}, 900).to(type) : Tensor();
        EXPECT_TRUE(
            close(linear(x, weight, bias), naive_linear(x, weight, bias), type == at::kFloat ? 1e-5 : 1e-12))
            << at::IntArrayRef(shape.x) << " -> " << shape.outputs;
      }
}

TEST(LinearTest, GradientsEqualDifferences) {
  for (const bool with_bias : {true, false}) {
    const Tensor x = cosine_leaf({2, 3, 4}, 0), weight = cosine_leaf({5, 4}, 500);
    const Tensor bias = with_bias ? cosine_leaf({5}, 900) : Tensor();
    std::vector<Tensor> leaves{x, weight};
    if (with_bias) leaves.push_back(bias);
    EXPECT_TRUE(gradients_agree([&] { return linear(x, weight, bias).tanh(); }, leaves));
  }
}

// float32 uses oneDNN, double does not: its gradients are compared with those of the plain version.
TEST(LinearTest, FloatGradientsEqualThePlainOnes) {
  for (const Shape& shape : shapes)
    for (const bool with_bias : {true, false}) {
      std::vector<Tensor> leaves{
          cosine(shape.x, 0).to(at::kFloat).requires_grad_(),
          cosine({shape.outputs, shape.x.back()}, 500).to(at::kFloat).requires_grad_()};
      if (with_bias) leaves.push_back(cosine({shape.outputs}, 900).to(at::kFloat).requires_grad_());
      const auto gradients = [&] {
        const Tensor y = linear(leaves[0], leaves[1], with_bias ? leaves[2] : Tensor());
        // An incoming gradient with transposed strides: nothing may rely on its memory layout.
        const Tensor weights = cosine(y.sizes(), 3).to(at::kFloat);
        return torch::autograd::grad({(y.t().contiguous().t() * weights).sum()}, leaves);
      };
      const auto flat = [&] {
        const Tensor y = linear(leaves[0], leaves[1], with_bias ? leaves[2] : Tensor());
        return torch::autograd::grad({(y * cosine(y.sizes(), 3).to(at::kFloat)).sum()}, leaves);
      };
      const auto fast = shape.x.size() == 2 ? gradients() : flat();
      const ComputeScope plain(&Compute::kernels, Kernels::plain);
      const auto slow = flat();
      for (size_t i = 0; i < leaves.size(); ++i) EXPECT_TRUE(close(fast[i], slow[i], 1e-4)) << "leaf " << i;
    }
}

TEST(LinearTest, OnlyWantedGradientsAreMade) {
  for (size_t wanted = 0; wanted < 3; ++wanted) {
    std::vector<Tensor> leaves{cosine({4, 3}, 0).to(at::kFloat), cosine({5, 3}, 500).to(at::kFloat),
                               cosine({5}, 900).to(at::kFloat)};
    leaves[wanted].requires_grad_();
    linear(leaves[0], leaves[1], leaves[2]).sum().backward();
    for (size_t i = 0; i < 3; ++i) EXPECT_EQ(leaves[i].grad().defined(), i == wanted);
  }
  const Tensor weight = cosine({5, 3}, 500).to(at::kFloat).requires_grad_();
  const at::NoGradGuard no_grad;
  EXPECT_FALSE(seq2seq::linear(cosine({4, 3}).to(at::kFloat), weight).requires_grad());
}

TEST(LinearTest, NoRowsGiveNoRows) {
  const Tensor weight = cosine({5, 3}).to(at::kFloat);
  EXPECT_EQ(seq2seq::linear(on_device(at::empty({0, 3})), weight).sizes(), at::IntArrayRef({0, 5}));
}

TEST(ProductTest, TakesStridedOperands) {
  for (const auto type : {at::kFloat, at::kDouble}) {
    const Tensor a = cosine({4, 17}, 0).to(type), b = cosine({17, 6}, 100).to(type);
    const Tensor expected = naive_linear(a, b.t(), {});
    const double tolerance = type == at::kFloat ? 1e-5 : 1e-12;
    EXPECT_TRUE(close(product(a, b.t()), expected, tolerance));
    EXPECT_TRUE(close(product(a.t().contiguous().t(), b.t().contiguous()), expected, tolerance));
  }
}

// One weight used three times, the last use fed by the first, as in a recurrence.
Tensor repeated_use(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const Tensor first = seq2seq::linear(x, weight, bias).tanh(),
               second = seq2seq::linear(x * 0.5, weight, bias);
  return seq2seq::linear(first * second, weight, bias) + first;
}

TEST(GatheredGradientsTest, RepeatedUsesGiveTheGradientsOfAutograd) {
  for (const auto type : {at::kFloat, at::kDouble})
    for (const bool with_bias : {true, false}) {
      std::vector<Tensor> leaves{cosine({3, 4}, 0).to(type).requires_grad_(),
                                 cosine({4, 4}, 500).to(type).requires_grad_()};
      if (with_bias) leaves.push_back(cosine({4}, 900).to(type).requires_grad_());
      const Tensor bias = with_bias ? leaves[2] : Tensor();
      const auto gradients = [&] {
        return torch::autograd::grad({repeated_use(leaves[0], leaves[1], bias).pow(2).sum()}, leaves);
      };
      const auto expected = [&] {
        const ComputeScope plain(&Compute::kernels, Kernels::plain);
        return gradients();
      }();
      std::vector<Tensor> gathered;
      {
        GatheredGradients gather;
        const ComputeScope scope(&Compute::gather, &gather);
        gathered = gradients();
      }
      for (size_t i = 0; i < leaves.size(); ++i)
        EXPECT_TRUE(close(gathered[i], expected[i], type == at::kFloat ? 1e-4 : 1e-12)) << i;
    }
}

TEST(GatheredGradientsTest, AUseWithoutInfluenceAndAFrozenWeightAreFine) {
  const Tensor x = cosine_leaf({3, 4}, 0), weight = cosine_leaf({4, 4}, 500), frozen = cosine({4, 4}, 700);
  GatheredGradients gather;
  const ComputeScope scope(&Compute::gather, &gather);
  const Tensor used = seq2seq::linear(x, weight), unused = seq2seq::linear(x, weight);
  const Tensor y = seq2seq::linear(used, frozen);
  const auto gradients = torch::autograd::grad({y.sum()}, {x, weight});
  const Tensor dused = at::ones({3, 4}, on_device(at::kDouble)).mm(frozen);
  EXPECT_TRUE(close(gradients[0], dused.mm(weight)));
  EXPECT_TRUE(close(gradients[1], dused.t().mm(x)));
}

TEST(Bfloat16ProductsTest, AreNearAndEndWithTheirScope) {
  const Tensor x = cosine({33, 64}, 0).to(at::kFloat).requires_grad_();
  const Tensor weight = cosine({48, 64}, 500).to(at::kFloat).requires_grad_();
  const auto values = [&] {
    const Tensor y = seq2seq::linear(x, weight);
    auto result = torch::autograd::grad({y.pow(2).sum()}, {x, weight});
    result.push_back(y.detach());
    return result;
  };
  const auto exact = values();
  if (!has_bfloat16_products(test_device().type())) {
    const ComputeScope half(&Compute::products, ProductFormat::bfloat16);
    EXPECT_THROW(values(), c10::Error);
    return;
  }
  std::vector<Tensor> rounded;
  {
    const ComputeScope half(&Compute::products, ProductFormat::bfloat16);
    rounded = values();
  }
  for (size_t i = 0; i < exact.size(); ++i) {
    EXPECT_EQ(rounded[i].scalar_type(), at::kFloat);
    const double scale = exact[i].abs().max().item<double>();
    // 8 significant bits per operand; three products in sequence.
    EXPECT_LT((rounded[i] - exact[i]).abs().max().item<double>(), 0.02 * scale) << i;
    EXPECT_GT((rounded[i] - exact[i]).abs().max().item<double>(), 0) << i;
  }
  EXPECT_TRUE(at::equal(values()[2], exact[2]));
}

// A vector, three dimensions, a bias, strided operands; doubles and no rows are computed as ever.
TEST(Bfloat16ProductsTest, TakeWhatOtherProductsTake) {
  if (!has_bfloat16_products(test_device().type())) return;
  const ComputeScope half(&Compute::products, ProductFormat::bfloat16);
  for (const Shape& shape : shapes) {
    const Tensor x = cosine(shape.x, 0).to(at::kFloat), bias = cosine({shape.outputs}, 900).to(at::kFloat),
                 weight = cosine({shape.outputs, shape.x.back()}, 500).to(at::kFloat);
    const Tensor expected = naive_linear(x.to(at::kBFloat16), weight.to(at::kBFloat16), bias);
    for (const Tensor& operand : {weight, weight.t().contiguous().t()}) {
      const Tensor y = seq2seq::product(x, operand, bias);
      EXPECT_EQ(y.scalar_type(), at::kFloat);
      EXPECT_TRUE(close(y, expected, 0.01)) << at::IntArrayRef(shape.x) << " -> " << shape.outputs;
    }
  }
  const Tensor exact = cosine({4, 17}, 0), weight = cosine({3, 17}, 100);
  EXPECT_TRUE(close(seq2seq::product(exact, weight), naive_linear(exact, weight, {}), 1e-12));
  EXPECT_EQ(seq2seq::product(on_device(at::empty({0, 17})), weight.to(at::kFloat)).size(0), 0);
}

TEST(Bfloat16ProductsTest, AreAskedOfTheDevice) {
  EXPECT_EQ(has_bfloat16_products(at::kCPU), has_onednn_bfloat16_products());
  // Of a type that this LibTorch lacks: the trials end with an exception.
  EXPECT_FALSE(has_bfloat16_products(at::kHIP));
  EXPECT_FALSE(has_mixed_products(at::kHIP));
}

TEST(ComputeScopeTest, ReplacesNestsAndEnds) {
  GatheredGradients gather;
  {
    const ComputeScope outer(&Compute::kernels, Kernels::plain);
    {
      const ComputeScope inner(&Compute::gather, &gather);
      EXPECT_EQ(Compute::now().kernels, Kernels::plain);
      EXPECT_EQ(Compute::now().gather, &gather);
      EXPECT_EQ(Compute::now().kept().gather, nullptr);
      EXPECT_EQ(Compute::now().kept().kernels, Kernels::plain);
      const ComputeScope innermost(Compute{});
      EXPECT_EQ(Compute::now().kernels, Kernels::fast);
    }
    EXPECT_EQ(Compute::now().gather, nullptr);
    EXPECT_EQ(Compute::now().kernels, Kernels::plain);
  }
  EXPECT_EQ(Compute::now().kernels, Kernels::fast);
}

// Backward runs after the scope has ended, possibly on another thread.
TEST(ComputeScopeTest, GradientsAreMadeAsTheirProductWas) {
  if (!has_bfloat16_products(test_device().type())) return;
  const Tensor x = cosine({33, 64}, 0).to(at::kFloat).requires_grad_();
  const Tensor weight = cosine({48, 64}, 500).to(at::kFloat).requires_grad_();
  const auto gradients = [&](bool after) {
    auto half = std::make_optional<ComputeScope>(&Compute::products, ProductFormat::bfloat16);
    const Tensor sum = seq2seq::linear(x, weight).pow(2).sum();
    if (after) half.reset();
    return torch::autograd::grad({sum}, {x, weight});
  };
  const auto within = gradients(false), behind = gradients(true);
  for (size_t i = 0; i < within.size(); ++i) EXPECT_TRUE(same(behind[i], within[i]));
}

TEST(LinearModuleTest, AddsItsBiasOnlyWhenItHasOne) {
  Linear with(3, 2), without(3, 2, false);
  for (Linear* module : {&with, &without}) {
    (*module)->to(at::kDouble);
    move_to_test_device(**module);
    fill_parameters(**module, 1.0);
  }
  const Tensor x = cosine({4, 3}, 50);
  EXPECT_TRUE(close(with->forward(x), naive_linear(x, with->weight, with->bias)));
  EXPECT_TRUE(close(without->forward(x), naive_linear(x, without->weight, {})));
  EXPECT_EQ(without->named_parameters().keys(), std::vector<std::string>{"weight"});
  EXPECT_EQ(with->named_parameters().keys(), (std::vector<std::string>{"weight", "bias"}));
}

}  // namespace
}  // namespace seq2seq::test
