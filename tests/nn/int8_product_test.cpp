// Products with weights in int8: exact sums of integers, and the same results on every processor.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "../support/compare.h"
#include "seq2seq/core/random.h"
#include "seq2seq/nn/cpu/loops.h"
#include "seq2seq/nn/engine/packed_weight.h"
#include "seq2seq/nn/ops/kernel_sets.h"

namespace seq2seq::kernels::emulated_vnni {
extern const Int8Loops
    int8_loops;  // as those of AVX-512 VNNI, with that instruction emulated (CMakeLists.txt)
}

namespace seq2seq::test {
namespace {

struct Int8Kernel {
  std::string name;
  std::function<void(const PackedProduct&)> product;
};

void emulated_product(const PackedProduct& terms) {
  const kernels::Int8Loops& loops = kernels::emulated_vnni::int8_loops;
  std::vector<unsigned char> values(static_cast<size_t>(terms.rows * loops.row_bytes(terms.width)));
  std::vector<float> scales(static_cast<size_t>(terms.rows));
  const kernels::QuantizedRows rows{values.data(), scales.data()};
  loops.quantize(terms, rows, 0, terms.rows);
  loops.product(terms, rows, 0, (terms.columns + 15) / 16);
}

const std::vector<Int8Kernel>& int8_kernels() {
  static const std::vector<Int8Kernel> all = [] {
    std::vector<Int8Kernel> kernels{{"emulated VNNI", emulated_product}};
    for (const KernelSet* set : kernel_sets())
      if (set->steps != nullptr && set->serves(at::empty({1})))
        kernels.push_back({set->name, set->steps->product});
    return kernels;
  }();
  return all;
}

PackedProduct product_of(const Tensor& x, const PackedWeight& weight, const Tensor& y,
                         const Tensor& bias = {}) {
  return {.x = x.const_data_ptr<float>(),
          .weight = weight.panels(),
          .bias = bias.defined() ? bias.const_data_ptr<float>() : nullptr,
          .y = y.mutable_data_ptr<float>(),
          .rows = x.size(0),
          .width = x.size(1),
          .columns = y.size(1),
          .x_stride = x.stride(0),
          .y_stride = y.stride(0)};
}

/// Integers within +-127: all of them 127, +-127, or any.
enum class Values { largest, extremes, any };
Tensor integers(Values values, int64_t rows, int64_t width, uint64_t seed) {
  Random random(seed);
  const Tensor result = at::empty({rows, width}, at::kChar);
  int8_t* to = result.mutable_data_ptr<int8_t>();
  for (int64_t i = 0; i < rows * width; ++i) {
    const auto drawn = static_cast<int>(random.below(255)) - 127;
    to[i] = static_cast<int8_t>(values == Values::any                     ? drawn
                                : values == Values::extremes && drawn < 0 ? -127
                                                                          : 127);
  }
  return result;
}

/// x times the weight, one integer after the other.
Tensor exact_product(const Tensor& x, const Tensor& weight) {
  const int64_t rows = x.size(0), columns = weight.size(0), width = x.size(1);
  const Tensor y = at::empty({rows, columns}, at::kLong);
  const auto *from = x.const_data_ptr<int8_t>(), *factors = weight.const_data_ptr<int8_t>();
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) {
      int64_t sum = 0;
      for (int64_t i = 0; i < width; ++i) sum += int64_t{from[r * width + i]} * factors[c * width + i];
      y.mutable_data_ptr<int64_t>()[r * columns + c] = sum;
    }
  return y;
}

/// With scales of 1, so that results are the sums: up to 1,040 inputs these are numbers that float32 has.
void expect_exact(Values values, int64_t rows, int64_t inputs, int64_t outputs) {
  const Tensor weight = integers(values, outputs, inputs, 1), x = integers(values, rows, inputs, 2);
  x.select(1, inputs - 1).fill_(127);  // which makes the scale of each row 1
  const PackedWeight packed = pack(QuantizedWeight{weight, at::ones({outputs})});
  const Tensor expected = exact_product(x, weight), floats = x.to(at::kFloat);
  for (const Int8Kernel& kernel : int8_kernels()) {
    const Tensor y = at::full({rows, outputs}, std::numeric_limits<float>::quiet_NaN());
    kernel.product(product_of(floats, packed, y));
    EXPECT_TRUE(y.to(at::kLong).equal(expected) && y.equal(expected.to(at::kFloat)))
        << kernel.name << ": " << rows << " rows, " << inputs << " inputs, " << outputs << " outputs";
  }
}

TEST(Int8Product, SumsAreExact) {
  for (const Values values : {Values::largest, Values::extremes, Values::any}) {
    for (int64_t outputs = 1; outputs <= 70; ++outputs)
      for (const int64_t inputs : {3, 64, 67}) expect_exact(values, 7, inputs, outputs);
    for (int64_t rows = 1; rows <= 20; ++rows)
      for (const int64_t inputs : {1, 2, 5, 257}) expect_exact(values, rows, inputs, 33);
    expect_exact(values, 100, 1040, 70);
  }
}

/// What x is rounded to, seen through a weight of which column i is input i.
Tensor seen_rows(const Int8Kernel& kernel, const Tensor& x) {
  const int64_t width = x.size(1);
  const Tensor y = at::empty({x.size(0), width});
  kernel.product(product_of(x, pack({at::eye(width, at::kChar), at::ones({width})}), y));
  return y;
}

TEST(Int8Product, RoundsToTheNearestAndThenEven) {
  const Tensor x = at::tensor({127.0F, 0.5F, 1.5F, 2.5F, -0.5F, -1.5F, -2.5F, 0.49F, -126.5F, -125.5F, 3.0F}),
               expected =
                   at::tensor({127.0F, 0.0F, 2.0F, 2.0F, 0.0F, -2.0F, -2.0F, 0.0F, -126.0F, -126.0F, 3.0F});
  const Tensor rows = at::stack({x, x * 8, x / -32, at::zeros_like(x), x * 1e-35});
  const QuantizedWeight weight = quantize(rows);
  const Tensor both = at::stack({expected, expected, 0 - expected, at::zeros_like(x), at::zeros_like(x)});
  EXPECT_TRUE(weight.values.to(at::kFloat).equal(both));
  const Tensor scales = at::tensor({1.0F, 8.0F, 1.0F / 32, 0.0F, 0.0F});
  EXPECT_TRUE(weight.scales.equal(scales));
  for (const Int8Kernel& kernel : int8_kernels())
    EXPECT_TRUE(seen_rows(kernel, rows).equal(both * scales.unsqueeze(1))) << kernel.name;
}

TEST(Int8Product, WhatIsNotFiniteStaysVisible) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const Tensor x = at::ones({4, 20});
  x[1][7] = std::numeric_limits<float>::quiet_NaN();
  x[2][19] = -infinity;
  const Tensor expected = at::tensor({0, 1, 1, 0}).to(at::kBool).unsqueeze(1).expand({4, 20});
  for (const Int8Kernel& kernel : int8_kernels())
    EXPECT_TRUE(seen_rows(kernel, x).isnan().equal(expected)) << kernel.name;
  EXPECT_TRUE(quantize(x).scales.isnan().equal(expected.select(1, 0)));
}

/// Values of very different sizes.
Tensor drawn(int64_t rows, int64_t width, uint64_t seed) {
  Random random(seed);
  const Tensor result = at::empty({rows, width});
  for (int64_t i = 0; i < result.numel(); ++i) {
    const double value = static_cast<double>(random.below(2000001)) / 1e6 - 1;
    result.mutable_data_ptr<float>()[i] = static_cast<float>(value * std::exp(4 * value));
  }
  return result;
}

TEST(Int8Product, ResultsAreThoseOfTheRoundedNumbersOnEveryProcessor) {
  for (const int64_t inputs : {16, 51, 300}) {
    const int64_t rows = 13, outputs = 53;
    const Tensor x = drawn(rows, inputs, 1), bias = drawn(1, outputs, 3)[0], before = drawn(rows, outputs, 4);
    const QuantizedWeight weight = quantize(drawn(outputs, inputs, 2)), rounded = quantize(x);
    const auto in_double = [](const QuantizedWeight& w) {
      return w.values.to(at::kDouble) * w.scales.to(at::kDouble).unsqueeze(1);
    };
    const Tensor product = in_double(rounded).matmul(in_double(weight).t());
    const PackedWeight packed = pack(weight);
    for (const bool add : {false, true}) {
      const Tensor expected =
          product + bias.to(at::kDouble) + (add ? before.to(at::kDouble) : at::zeros({1}));
      Tensor first;
      for (const Int8Kernel& kernel : int8_kernels()) {
        SCOPED_TRACE(kernel.name);
        const Tensor wide_x = at::full({rows, inputs + 3}, 1e6F), wide = at::full({rows, outputs + 4}, 9.0F);
        wide_x.narrow(1, 1, inputs).copy_(x);
        const Tensor y = wide.narrow(1, 2, outputs);
        y.copy_(before);
        PackedProduct terms = product_of(wide_x.narrow(1, 1, inputs), packed, y, bias);
        terms.add = add;
        kernel.product(terms);
        EXPECT_TRUE(close(y, expected, 1e-6));
        EXPECT_TRUE(wide.narrow(1, 0, 2).eq(9).all().item<bool>());
        EXPECT_TRUE(wide.narrow(1, outputs + 2, 2).eq(9).all().item<bool>());
        if (first.defined()) {
          EXPECT_TRUE(y.equal(first));
        }
        first = y;
      }
    }
  }
}

// More rows than are rounded at once.
TEST(Int8Product, ManyRowsAreComputedAsFew) {
  const int threads = at::get_num_threads();
  const int64_t rows = 2000, inputs = 40, outputs = 50;
  const Tensor x = drawn(rows, inputs, 1);
  const PackedWeight packed = pack(quantize(drawn(outputs, inputs, 2)));
  for (const Int8Kernel& kernel : int8_kernels()) {
    const Tensor few = at::empty({rows, outputs}), many = at::empty({rows, outputs});
    for (int64_t row = 0; row < rows; row += 5)
      kernel.product(product_of(x.narrow(0, row, 5), packed, few.narrow(0, row, 5)));
    for (const int count : {1, 2}) {
      at::set_num_threads(count);
      kernel.product(product_of(x, packed, many.fill_(0)));
      EXPECT_TRUE(many.equal(few)) << kernel.name << ", " << count << " threads";
    }
    at::set_num_threads(threads);
  }
}

}  // namespace
}  // namespace seq2seq::test
