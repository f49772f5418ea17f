#include "seq2seq/nn/cpu/kernels.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace seq2seq::test {
namespace {

// The kernels on raw arrays, with a guard behind each output: none may write past its end.
template <class Scalar>
class Guarded {
 public:
  explicit Guarded(int64_t size, Scalar value = 0) : values_(static_cast<size_t>(size) + guard, value) {
    std::fill(values_.end() - guard, values_.end(), mark);
  }
  Scalar* data() { return values_.data(); }
  Scalar& operator[](int64_t i) { return values_[static_cast<size_t>(i)]; }
  bool intact() const {
    return std::all_of(values_.end() - guard, values_.end(), [](Scalar value) { return value == mark; });
  }
  std::vector<Scalar> values() const { return {values_.begin(), values_.end() - guard}; }

 private:
  static constexpr int guard = 32;
  static constexpr Scalar mark = 12345;
  std::vector<Scalar> values_;
};

template <class Scalar>
void fill(Guarded<Scalar>& array, int64_t size, double scale, double phase) {
  for (int64_t i = 0; i < size; ++i) {
    const double n = static_cast<double>(i) + phase;
    array[i] = static_cast<Scalar>(scale * std::cos(n * n));
  }
}

template <class Scalar>
constexpr double tolerance = std::is_same_v<Scalar, float> ? 1e-6 : 1e-14;

double logistic(double x) {
  return 1 / (1 + std::exp(-x));
}

template <class Scalar>
class KernelsTest : public ::testing::Test {};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(KernelsTest, Scalars);

TYPED_TEST(KernelsTest, LstmForwardIsRightAtEveryWidthAndScale) {
  for (const int64_t width : {1, 3, 17, 130})
    for (const double scale : {1.0, 50.0, 1e4}) {
      constexpr int64_t rows = 3;
      Guarded<TypeParam> gates(rows * 4 * width), before(rows * width), hidden(rows * width),
          cell(rows * width);
      fill(gates, rows * 4 * width, scale, 0);
      fill(before, rows * width, 2.0, 0.5);
      const auto inputs = gates.values();
      kernels::lstm_forward<TypeParam>({gates.data(), before.data(), hidden.data(), cell.data(), width},
                                       rows);
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t i = 0; i < width; ++i) {
          const auto gate = [&](int64_t g) -> double {
            return inputs[static_cast<size_t>((r * 4 + g) * width + i)];
          };
          const double next =
              logistic(gate(1)) * before[r * width + i] + logistic(gate(0)) * std::tanh(gate(2));
          EXPECT_NEAR(cell[r * width + i], next, 3 * tolerance<TypeParam>)
              << width << " wide, scale " << scale;
          EXPECT_NEAR(hidden[r * width + i], logistic(gate(3)) * std::tanh(next), 3 * tolerance<TypeParam>);
        }
      EXPECT_TRUE(gates.intact() && before.intact() && hidden.intact() && cell.intact()) << width;
    }
}

template <class Scalar>
kernels::AdditiveTerms<Scalar> terms_of(Guarded<Scalar>& keys, Guarded<Scalar>& query, Guarded<Scalar>& v,
                                        const bool* mask, int64_t sentences, int64_t hypotheses,
                                        int64_t length, int64_t width) {
  return {.keys = keys.data(),
          .query = query.data(),
          .v = v.data(),
          .mask = mask,
          .sentences = sentences,
          .hypotheses = hypotheses,
          .length = length,
          .width = width};
}

TYPED_TEST(KernelsTest, AdditiveScoresAreRightAtEveryWidthAndScale) {
  for (const int64_t width : {1, 3, 17, 130})
    for (const double scale : {1.0, 50.0, 1e4}) {
      constexpr int64_t sentences = 2, hypotheses = 3, length = 4;
      Guarded<TypeParam> keys(sentences * length * width), query(sentences * hypotheses * width), v(width),
          scores(sentences * hypotheses * length, 99);
      fill(keys, sentences * length * width, scale, 0);
      fill(query, sentences * hypotheses * width, scale, 0.5);
      fill(v, width, 1.0, 0.25);
      const bool mask[sentences * length] = {true, true, true, true, true, false, false, false};
      kernels::additive_scores(terms_of(keys, query, v, mask, sentences, hypotheses, length, width),
                               scores.data());
      for (int64_t b = 0; b < sentences; ++b)
        for (int64_t k = 0; k < hypotheses; ++k)
          for (int64_t s = 0; s < length; ++s) {
            double expected = 0;
            for (int64_t i = 0; mask[b * length + s] && i < width; ++i)
              expected += v[i] * std::tanh(static_cast<double>(keys[(b * length + s) * width + i] +
                                                               query[(b * hypotheses + k) * width + i]));
            EXPECT_NEAR(scores[(b * hypotheses + k) * length + s], expected,
                        tolerance<TypeParam> * static_cast<double>(width + 1))
                << width << " wide, scale " << scale;
          }
      EXPECT_TRUE(scores.intact());
    }
}

TYPED_TEST(KernelsTest, AdditiveBackwardStaysInItsArraysAndIgnoresTheMasked) {
  for (const int64_t width : {1, 3, 17, 130}) {
    constexpr int64_t sentences = 2, hypotheses = 3, length = 4;
    Guarded<TypeParam> keys(sentences * length * width), query(sentences * hypotheses * width), v(width),
        dscores(sentences * hypotheses * length), dkeys(sentences * length * width),
        dquery(sentences * hypotheses * width, 99), dv(sentences * width, 99);
    fill(keys, sentences * length * width, 1e4, 0);
    fill(query, sentences * hypotheses * width, 50.0, 0.5);
    fill(v, width, 1.0, 0.25);
    fill(dscores, sentences * hypotheses * length, 1.0, 0.75);
    const bool mask[sentences * length] = {true, true, true, true, true, false, false, false};
    kernels::additive_scores_backward<TypeParam>(
        terms_of(keys, query, v, mask, sentences, hypotheses, length, width), dscores.data(),
        {.keys = dkeys.data(), .query = dquery.data(), .v_rows = dv.data()});
    EXPECT_TRUE(dkeys.intact() && dquery.intact() && dv.intact()) << width;
    for (const auto& values : {dkeys.values(), dquery.values(), dv.values()})
      for (const TypeParam value : values) EXPECT_LT(std::abs(value), 100.0);  // finite, and overwritten
    for (int64_t i = 5 * width; i < 8 * width; ++i) EXPECT_EQ(dkeys[i], 0);
  }
}

TYPED_TEST(KernelsTest, CrossEntropyGradientSumsToZeroAndStaysInItsRow) {
  for (const int64_t vocabulary : {1, 3, 17, 130})
    for (const double scale : {1.0, 50.0, 1e4}) {
      constexpr int64_t rows = 3;
      Guarded<TypeParam> logits(rows * vocabulary), loss(rows), nll(rows);
      fill(logits, rows * vocabulary, scale, 0);
      const auto inputs = logits.values();
      const std::vector<int64_t> targets{0, vocabulary / 2, vocabulary - 1};
      kernels::cross_entropy<TypeParam>({.logits = logits.data(),
                                         .targets = targets.data(),
                                         .mixture = {},
                                         .smoothing = TypeParam(0.1),
                                         .gradient = true,
                                         .loss = loss.data(),
                                         .nll = nll.data(),
                                         .vocabulary = vocabulary},
                                        rows);
      for (int64_t r = 0; r < rows; ++r) {
        const auto row = inputs.begin() + r * vocabulary;
        const double peak = *std::max_element(row, row + vocabulary);
        const double sum = std::accumulate(row, row + vocabulary, 0.0, [&](double total, double logit) {
          return total + std::exp(logit - peak);
        });
        const double expected = peak + std::log(sum) -
                                inputs[static_cast<size_t>(r * vocabulary + targets[static_cast<size_t>(r)])];
        EXPECT_NEAR(nll[r], expected, tolerance<TypeParam> * (1 + scale))
            << vocabulary << ", scale " << scale;
        double gradient_sum = 0;
        for (int64_t i = 0; i < vocabulary; ++i) gradient_sum += logits[r * vocabulary + i];
        EXPECT_NEAR(gradient_sum, 0, 10 * tolerance<TypeParam>);
      }
      EXPECT_TRUE(logits.intact() && loss.intact() && nll.intact());
    }
}

// Enough rows for several tasks.
TYPED_TEST(KernelsTest, TheNumberOfThreadsDoesNotMatter) {
  constexpr int64_t rows = 120, width = 70;
  const int before = at::get_num_threads();
  std::vector<std::vector<TypeParam>> results;
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    Guarded<TypeParam> gates(rows * 4 * width), cell_before(rows * width), hidden(rows * width),
        cell(rows * width);
    fill(gates, rows * 4 * width, 2.0, 0);
    fill(cell_before, rows * width, 1.0, 0.5);
    kernels::lstm_forward<TypeParam>({gates.data(), cell_before.data(), hidden.data(), cell.data(), width},
                                     rows);
    Guarded<TypeParam> dgates(rows * 4 * width), dbefore(rows * width);
    kernels::lstm_backward<TypeParam>({gates.data(), cell_before.data(), cell.data(), hidden.data(),
                                       cell.data(), dgates.data(), dbefore.data(), width},
                                      rows);
    Guarded<TypeParam> loss(rows), nll(rows);
    const std::vector<int64_t> targets(rows, 5);
    kernels::cross_entropy<TypeParam>({.logits = gates.data(),
                                       .targets = targets.data(),
                                       .mixture = {},
                                       .smoothing = TypeParam(0.1),
                                       .gradient = true,
                                       .loss = loss.data(),
                                       .nll = nll.data(),
                                       .vocabulary = 4 * width},
                                      rows);
    std::vector<TypeParam> all;
    for (const auto& values :
         {hidden.values(), cell.values(), dgates.values(), dbefore.values(), loss.values(), gates.values()})
      all.insert(all.end(), values.begin(), values.end());
    results.push_back(std::move(all));
  }
  at::set_num_threads(before);
  EXPECT_EQ(results[1], results[0]);
  EXPECT_EQ(results[2], results[0]);
}

}  // namespace
}  // namespace seq2seq::test
