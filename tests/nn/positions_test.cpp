#include "seq2seq/nn/positions.h"

#include <gtest/gtest.h>

#include <cmath>

#include "../support/compare.h"
#include "../support/fill.h"

namespace seq2seq::test {
namespace {

Tensor places(std::initializer_list<int64_t> values) {
  return at::tensor(values, on_device(at::kLong)).unsqueeze(0);
}

TEST(PositionsTest, SinesEqualTheFormula) {
  const Tensor positions = places({0, 1, 7, 5000});
  const Tensor actual = sinusoidal_positions(positions, 6, at::zeros({1}, on_device(at::kDouble)));
  ASSERT_EQ(actual.sizes(), at::IntArrayRef({1, 4, 6}));
  for (int64_t t = 0; t < 4; ++t)
    for (int64_t i = 0; i < 3; ++i) {
      const double angle = static_cast<double>(positions[0][t].item<int64_t>()) /
                           std::pow(10000.0, static_cast<double>(2 * i) / 6);
      EXPECT_NEAR(actual[0][t][2 * i].item<double>(), std::sin(angle), 1e-11);
      EXPECT_NEAR(actual[0][t][2 * i + 1].item<double>(), std::cos(angle), 1e-11);
    }
}

// As products of complex numbers: (a + ib) e^{i p / 10000^(2j/d)}.
TEST(PositionsTest, RotationEqualsTheFormula) {
  const Tensor positions = places({0, 3, 40}), x = cosine({2, 2, 3, 6});
  const Tensor actual = rotated(x, rotation(positions, 6, x));
  for (int64_t n = 0; n < 2; ++n)
    for (int64_t h = 0; h < 2; ++h)
      for (int64_t t = 0; t < 3; ++t)
        for (int64_t j = 0; j < 3; ++j) {
          const double angle = static_cast<double>(positions[0][t].item<int64_t>()) /
                               std::pow(10000.0, static_cast<double>(2 * j) / 6);
          const double a = x[n][h][t][j].item<double>(), b = x[n][h][t][j + 3].item<double>();
          EXPECT_NEAR(actual[n][h][t][j].item<double>(), a * std::cos(angle) - b * std::sin(angle), 1e-12);
          EXPECT_NEAR(actual[n][h][t][j + 3].item<double>(), b * std::cos(angle) + a * std::sin(angle),
                      1e-12);
        }
}

TEST(PositionsTest, TurnedProductsDependOnTheDistance) {
  const Tensor query = cosine({1, 1, 1, 6}), key = cosine({1, 1, 1, 6}, 100);
  const auto product_at = [&](int64_t p, int64_t q) {
    return (rotated(query, rotation(places({p}), 6, query)) * rotated(key, rotation(places({q}), 6, key)))
        .sum()
        .item<double>();
  };
  EXPECT_NEAR(product_at(5, 2), product_at(105, 102), 1e-10);
  EXPECT_GT(std::abs(product_at(5, 2) - product_at(5, 3)), 1e-3);
}

}  // namespace
}  // namespace seq2seq::test
