#include "seq2seq/nn/layers/attention/kinds.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <tuple>
#include <vector>

#include "../support/compare.h"
#include "../support/gradcheck.h"
#include "../support/names.h"
#include "seq2seq/core/error.h"
#include "seq2seq/nn/masks.h"
#include "seq2seq/nn/ops/additive_scores.h"

namespace seq2seq::test {
namespace {

using Row = std::vector<double>;

Row row_of(const Tensor& tensor) {
  const Tensor flat = tensor.detach().to(at::kCPU, at::kDouble).reshape(-1).contiguous();
  return {flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel()};
}

double inner_product(const Row& a, const Row& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// weight [O, I] times x [I], plus bias.
Row times(const Tensor& weight, const Row& x, const Tensor& bias = {}) {
  Row y;
  for (int64_t o = 0; o < weight.size(0); ++o)
    y.push_back(inner_product(row_of(weight[o]), x) + (bias.defined() ? bias[o].item<double>() : 0.0));
  return y;
}

using Parameters = torch::OrderedDict<std::string, Tensor>;
using AttentionPointer = std::shared_ptr<Attention>;

// Score of a query against a key that includes its coverage.
double score(const AttentionOptions& kind, const Parameters& weights, const Row& query, const Row& key) {
  if (!is<AdditiveAttention>(kind)) return inner_product(query, key);
  const Row projected = times(weights["query.weight"], query, weights["query.bias"]),
            v = row_of(weights["v"]);
  double sum = 0;
  for (size_t i = 0; i < v.size(); ++i) sum += v[i] * std::tanh(projected[i] + key[i]);
  return sum;
}

Row key_of(const AttentionOptions& kind, const Parameters& weights, const Row& state) {
  return is<DotAttention>(kind) ? state : times(weights["key.weight"], state);
}

// Score in head h, over its own columns of query and key.
double head_score(const Parameters& weights, const Row& query, const Row& key, int64_t h, int64_t heads) {
  const Row projected = times(weights["query.weight"], query, weights["query.bias"]);
  const int64_t width = std::ssize(projected) / heads;
  double sum = 0;
  for (int64_t i = h * width; i < (h + 1) * width; ++i)
    sum += projected[static_cast<size_t>(i)] * key[static_cast<size_t>(i)];
  return sum / std::sqrt(static_cast<double>(width));
}

// Factor of each position under `local` attention, 0 outside the window; 1 under other kinds.
Row nearness(const AttentionOptions& kind, const Parameters& weights, const Row& query, size_t length) {
  Row result(length, 1.0);
  const auto* local = std::get_if<LocalAttention>(&kind);
  if (local == nullptr) return result;
  Row hidden = times(weights["position.weight"], query);
  for (double& value : hidden) value = std::tanh(value);
  const double share = 1 / (1 + std::exp(-inner_product(row_of(weights["position_v"]), hidden)));
  const auto window = static_cast<double>(local->window);
  for (size_t s = 0; s < length; ++s) {
    const double distance = static_cast<double>(s + 1) - static_cast<double>(length) * share;
    result[s] = std::abs(distance) > window ? 0 : std::exp(-2 * distance * distance / (window * window));
  }
  return result;
}

// Softmax over positions with a nonzero factor, times that factor.
Row weights_of(const Row& scores, const Row& near) {
  double sum = 0;
  Row result;
  for (size_t s = 0; s < scores.size(); ++s) sum += near[s] > 0 ? std::exp(scores[s]) : 0;
  for (size_t s = 0; s < scores.size(); ++s) result.push_back(std::exp(scores[s]) / sum * near[s]);
  return result;
}

constexpr int64_t head_count = 2;

// Multi-head attention: each head contributes its columns of the context; the weights are those of the first.
AttentionResult naive_heads(Attention& attention, const Tensor& query, const Tensor& states,
                            const Tensor& lengths) {
  const int64_t hypotheses = query.size(0) / states.size(0), width = attention.context_size() / head_count;
  const Tensor context = at::zeros({query.size(0), attention.context_size()}, on_device(at::kDouble));
  const Tensor weights = at::zeros({query.size(0), states.size(1)}, on_device(at::kDouble));
  const auto parameters = attention.named_parameters();
  for (int64_t n = 0; n < query.size(0); ++n)
    for (int64_t h = 0; h < head_count; ++h) {
      const int64_t sentence = n / hypotheses, length = lengths[sentence].item<int64_t>();
      Row exponentials;
      double sum = 0;
      for (int64_t s = 0; s < length; ++s) {
        const Row key = times(parameters["key.weight"], row_of(states[sentence][s]));
        exponentials.push_back(std::exp(head_score(parameters, row_of(query[n]), key, h, head_count)));
        sum += exponentials.back();
      }
      for (int64_t s = 0; s < length; ++s) {
        const double weight = exponentials[static_cast<size_t>(s)] / sum;
        if (h == 0) weights[n][s] = weight;
        const Row value = times(parameters["value.weight"], row_of(states[sentence][s]));
        for (int64_t i = h * width; i < (h + 1) * width; ++i)
          context[n][i] += weight * value[static_cast<size_t>(i)];
      }
    }
  return {context, weights, {}};
}

// Query n attends to sentence n / K, up to its length.
AttentionResult naive_attention(const AttentionOptions& kind, Attention& attention, const Tensor& query,
                                const Tensor& states, const Tensor& lengths) {
  if (is<MultiHeadAttention>(kind)) return naive_heads(attention, query, states, lengths);
  const int64_t hypotheses = query.size(0) / states.size(0);
  const Tensor context = at::zeros({query.size(0), states.size(2)}, on_device(at::kDouble));
  const Tensor weights = at::zeros({query.size(0), states.size(1)}, on_device(at::kDouble));
  const auto parameters = attention.named_parameters();
  for (int64_t n = 0; n < query.size(0); ++n) {
    const int64_t sentence = n / hypotheses;
    Row scores;
    for (int64_t s = 0; s < lengths[sentence].item<int64_t>(); ++s)
      scores.push_back(
          score(kind, parameters, row_of(query[n]), key_of(kind, parameters, row_of(states[sentence][s]))));
    const Row looked = weights_of(scores, nearness(kind, parameters, row_of(query[n]), scores.size()));
    for (size_t s = 0; s < looked.size(); ++s) {
      const auto at = static_cast<int64_t>(s);
      weights[n][at] = looked[s];
      context[n] += states.detach()[sentence][at] * looked[s];
    }
  }
  return {context, weights, {}};
}

constexpr int64_t memory_size = 4, hidden_size = 8, width = 6;

AttentionSizes sizes_of(const AttentionOptions& kind) {
  return {is<DotAttention>(kind) ? memory_size : 5, memory_size, hidden_size};
}

AttentionPointer filled(const AttentionOptions& kind, const CoverageOptions& coverage = {}) {
  AttentionPointer attention = make_attention(kind, sizes_of(kind), coverage);
  attention->to(at::kDouble);
  move_to_test_device(*attention);
  fill_parameters(*attention, 0.9);
  return attention;
}

// All kinds but NoAttention, with few heads and a window smaller than the longest sentence.
std::vector<AttentionOptions> kinds() {
  std::vector<AttentionOptions> all = all_kinds<AttentionOptions>();
  std::erase(all, AttentionOptions(NoAttention{}));
  for (AttentionOptions& kind : all) {
    if (auto* multi_head = std::get_if<MultiHeadAttention>(&kind)) multi_head->heads = head_count;
    if (auto* local = std::get_if<LocalAttention>(&kind)) local->window = 2;
  }
  return all;
}

class AttentionKindTest : public ::testing::TestWithParam<AttentionOptions> {
 protected:
  const AttentionOptions& kind() const { return GetParam(); }
  int64_t query_size() const { return sizes_of(kind()).query; }
  AttentionPointer attention = filled(kind());
  Tensor states = cosine_leaf({3, width, memory_size}, 2000, 1.3);
  Tensor lengths = at::tensor({1, 6, 4}, on_device(at::kLong));
  Tensor mask = length_mask(lengths, states.select(2, 0));

  AttentionResult attend(const Tensor& query) {
    return attention->forward(query, attention->prepare(states, mask));
  }
};

TEST_P(AttentionKindTest, EqualsTheLoopsWrittenOut) {
  for (const int64_t hypotheses : {1, 3}) {
    const Tensor query = cosine({3 * hypotheses, query_size()}, 3000, 1.3);
    const AttentionResult actual = attend(query),
                          expected = naive_attention(kind(), *attention, query, states, lengths);
    EXPECT_TRUE(close(actual.weights, expected.weights)) << hypotheses << " hypotheses";
    EXPECT_TRUE(close(actual.context, expected.context)) << hypotheses << " hypotheses";
  }
}

TEST_P(AttentionKindTest, WhatIsMaskedDoesNotMatter) {
  const at::NoGradGuard no_grad;  // with gradients, products may be others
  const Tensor query = cosine({6, query_size()}, 3000);
  const AttentionResult before = attend(query);
  states.masked_fill_(mask.logical_not().unsqueeze(2), 1e4);
  const AttentionResult after = attend(query);
  EXPECT_TRUE(same(after.weights, before.weights));
  EXPECT_TRUE(same(after.context, before.context));
}

TEST_P(AttentionKindTest, GradientsEqualDifferences) {
  const Tensor query = cosine_leaf({6, query_size()}, 3000);
  std::vector<Tensor> leaves = attention->parameters();
  leaves.push_back(query);
  leaves.push_back(states);
  EXPECT_TRUE(gradients_agree(
      [&] {
        const AttentionResult result = attend(query);
        return at::cat({result.context, result.weights}, 1);
      },
      leaves));
}

// Large scores must neither overflow nor leave a row without weight.
TEST_P(AttentionKindTest, ExtremeQueriesGiveOneHotWeights) {
  const at::NoGradGuard no_grad;
  const Tensor query = cosine({3, query_size()}, 3000, 1e4);
  for (Tensor& parameter : attention->parameters()) parameter.mul_(100);
  const Tensor weights = attend(query).weights;
  if (is<AdditiveAttention>(kind())) {  // every tanh is saturated by the query: no place is preferred
    EXPECT_TRUE(close(weights, mask.to(at::kDouble) / lengths.unsqueeze(1)));
  } else {
    EXPECT_TRUE(close(weights.amax(1), weights.sum(1)));
  }
  if (attention->is_distribution()) {
    EXPECT_TRUE(close(weights.sum(1), at::ones({3}, at::kDouble)));
  } else {  // a saturated position still has a token in its window
    EXPECT_TRUE(weights.sum(1).ge(std::exp(-2.0)).logical_and(weights.sum(1).le(1)).all().item<bool>());
  }
  EXPECT_TRUE(weights.masked_select(mask.logical_not()).eq(0).all().item<bool>());
}

TEST_P(AttentionKindTest, ANotANumberIsNotHidden) {
  const Tensor query = cosine({3, query_size()}, 3000);
  query[1][0] = std::nan("");
  const Tensor context = attend(query).context;
  EXPECT_TRUE(context[1].isnan().all().item<bool>());
  EXPECT_FALSE(context[0].isnan().any().item<bool>());
  EXPECT_FALSE(context[2].isnan().any().item<bool>());
}

// A penalty made once for many steps changes no bit; positions that the mask hides get no weight at all.
TEST_P(AttentionKindTest, APenaltyMadeBeforeIsTheSame) {
  const Tensor query = cosine({3, query_size()}, 3000, 50.0);
  const AttentionPointer attention = filled(kind(), NoCoverage{});
  AttentionView view = attention->prepare(states, mask);
  const AttentionResult made_now = attention->forward(query, view);
  view.penalty = Attention::penalty_of(mask);
  const AttentionResult made_before = attention->forward(query, view);
  EXPECT_TRUE(same(made_before.weights, made_now.weights));
  EXPECT_TRUE(same(made_before.context, made_now.context));
  EXPECT_EQ(made_now.weights.masked_fill(mask, 0).abs().max().item<double>(), 0);
}

// `prepared_tensors` lists what `prepare` computes, for every kind of coverage.
TEST_P(AttentionKindTest, ListsWhatItPrepares) {
  for (const CoverageOptions& coverage : all_kinds<CoverageOptions>()) {
    const AttentionView made = filled(kind(), coverage)->prepare(states, mask);
    AttentionView listed;
    std::vector<Tensor> tensors;
    prepared_tensors(kind(), coverage, made, [&](const Tensor& tensor) { tensors.push_back(tensor); });
    size_t next = 0;
    prepared_tensors(kind(), coverage, listed, [&](Tensor& tensor) { tensor = tensors[next++]; });
    EXPECT_EQ(next, tensors.size());
    for (Tensor AttentionView::*part :
         {&AttentionView::keys, &AttentionView::values, &AttentionView::coverage_gates})
      EXPECT_TRUE((made.*part).is_same(listed.*part)) << option_name(coverage);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, AttentionKindTest, ::testing::ValuesIn(kinds()),
                         [](const auto& test) { return name_of_value(test.param); });

// Three steps of attention with coverage, written out: keys are k_i + U c_i, where c_i is the sum of past
// attention or the state of a GRU whose inputs are the attention, the encoder state and the query.
class CoverageTest : public ::testing::TestWithParam<std::tuple<AttentionOptions, CoverageOptions>> {
 protected:
  const AttentionOptions& kind() const { return std::get<0>(GetParam()); }
  const CoverageOptions& coverage() const { return std::get<1>(GetParam()); }
  int64_t query_size() const { return sizes_of(kind()).query; }

  AttentionPointer attention = filled(kind(), coverage());
  static constexpr int64_t hypotheses = 2, steps = 3;
  Tensor states = cosine_leaf({2, 4, memory_size}, 2000, 1.3);
  Tensor lengths = at::tensor({4, 2}, on_device(at::kLong));
  Tensor mask = length_mask(lengths, states.select(2, 0));
  Tensor queries = cosine_leaf({steps, 2 * hypotheses, query_size()}, 3000, 1.3);

  /// Weights [steps, N, S], and the coverage after the last step.
  std::pair<Tensor, CoverageState> attended() {
    const AttentionView view = attention->prepare(states, mask);
    CoverageState past = attention->start(states);
    const Tensor rows = at::tensor({0, 0, 1, 1}, on_device(at::kLong));
    coverage_tensors(coverage(), past, [&](Tensor& tensor) { tensor = tensor.index_select(0, rows); });
    std::vector<Tensor> weights;
    for (int64_t t = 0; t < steps; ++t) {
      AttentionResult result = attention->forward(queries[t], view, past);
      weights.push_back(result.weights);
      past = result.coverage;
    }
    return {at::stack(weights), past};
  }

  double covered_score(const Row& query, const Row& state, const Row& cells) const {
    const auto weights = attention->named_parameters();
    const Row shift = times(weights["coverage_weight"], cells);
    Row key = key_of(kind(), weights, state);
    for (size_t i = 0; i < key.size(); ++i) key[i] += shift[i];
    if (is<MultiHeadAttention>(kind())) return head_score(weights, query, key, 0, head_count);
    return score(kind(), weights, query, key);
  }

  Row next_cells(const Row& cells, double looked, const Row& state, const Row& query) const {
    if (is<LinearCoverage>(coverage())) return {cells[0] + looked};
    const auto weights = attention->named_parameters();
    const Row from_state = times(weights["coverage_state.weight"], state, weights["coverage_state.bias"]);
    const Row from_query = times(weights["coverage_query.weight"], query);
    const Row from_attention = row_of(weights["coverage_attention"]);
    const Row hidden = times(weights["coverage_cell.weight"], cells, weights["coverage_cell.bias"]);
    const size_t size = cells.size();
    const auto input = [&](size_t i) { return from_state[i] + from_query[i] + looked * from_attention[i]; };
    const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
    Row result;
    for (size_t i = 0; i < size; ++i) {
      const double reset = sigmoid(input(i) + hidden[i]),
                   update = sigmoid(input(size + i) + hidden[size + i]);
      const double candidate = std::tanh(input(2 * size + i) + reset * hidden[2 * size + i]);
      result.push_back((1 - update) * candidate + update * cells[i]);
    }
    return result;
  }
};

TEST_P(CoverageTest, EqualsTheLoopsWrittenOut) {
  const auto [weights, after] = attended();
  for (int64_t n = 0; n < 2 * hypotheses; ++n) {
    const int64_t sentence = n / hypotheses, length = lengths[sentence].item<int64_t>();
    const size_t size = is<GruCoverage>(coverage()) ? GruCoverage::cell_size : 1;
    std::vector<Row> cells(static_cast<size_t>(length), Row(size, 0.0));
    Row total(static_cast<size_t>(length), 0.0);
    for (int64_t t = 0; t < steps; ++t) {
      const Row query = row_of(queries[t][n]);
      Row scores;
      for (int64_t s = 0; s < length; ++s)
        scores.push_back(covered_score(query, row_of(states[sentence][s]), cells[static_cast<size_t>(s)]));
      const Row all =
          weights_of(scores, nearness(kind(), attention->named_parameters(), query, scores.size()));
      for (int64_t s = 0; s < length; ++s) {
        const auto at = static_cast<size_t>(s);
        const double looked = all[at];
        EXPECT_NEAR(weights[t][n][s].item<double>(), looked, 1e-10) << "step " << t << ", position " << s;
        cells[at] = next_cells(cells[at], looked, row_of(states[sentence][s]), query);
        total[at] += looked;
      }
    }
    for (int64_t s = 0; s < length; ++s)
      EXPECT_NEAR(after.sum[n][s].item<double>(), total[static_cast<size_t>(s)], 1e-10);
  }
}

TEST_P(CoverageTest, GradientsEqualDifferences) {
  std::vector<Tensor> leaves = attention->parameters();
  leaves.push_back(states);
  leaves.push_back(queries);
  EXPECT_TRUE(gradients_agree([&] { return attended().first; }, leaves));
}

INSTANTIATE_TEST_SUITE_P(Kinds, CoverageTest,
                         ::testing::Combine(::testing::ValuesIn(kinds()),
                                            ::testing::Values(LinearCoverage{}, GruCoverage{})),
                         [](const auto& test) {
                           return name_of_value(std::get<0>(test.param)) + "_" +
                                  name_of_value(std::get<1>(test.param));
                         });

TEST(CoverageLossTest, EqualsTheLoopsWrittenOut) {
  const Tensor attention = cosine({2, 4, 3}, 0).abs();
  const Tensor steps = on_device(at::tensor({1, 1, 1, 1, 1, 1, 0, 0})).view({2, 4}).to(at::kBool);
  double expected = 0;
  for (int64_t b = 0; b < 2; ++b)
    for (int64_t s = 0; s < 3; ++s) {
      double before = 0;
      for (int64_t t = 0; t < (b == 0 ? 4 : 2); ++t) {
        const double now = attention[b][t][s].item<double>();
        expected += std::min(now, before);
        before += now;
      }
    }
  EXPECT_NEAR(coverage_loss(attention, steps).item<double>(), expected, 1e-12);
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false);
  const auto deterministic = coverage_loss(attention, steps).item<double>();
  at::globalContext().setDeterministicAlgorithms(false, /*warn_only=*/false);
  EXPECT_NEAR(deterministic, expected, 1e-12);
}

TEST(AttentionTest, CoverageNeedsAttention) {
  EXPECT_THROW(make_attention(NoAttention{}, {5, 4, 7}, LinearCoverage{}), c10::Error);
}

TEST(AttentionTest, NoneLooksAtNothing) {
  const AttentionPointer attention = make_attention(NoAttention{}, {5, memory_size, hidden_size});
  EXPECT_TRUE(attention->parameters().empty());
  const Tensor states = cosine({2, 3, memory_size});
  const AttentionResult result =
      attention->forward(cosine({4, 5}), attention->prepare(states, on_device(at::ones({2, 3}))));
  EXPECT_TRUE(same(result.context, at::zeros({4, memory_size}, at::kDouble)));
  EXPECT_TRUE(same(result.weights, at::zeros({4, 3}, at::kDouble)));
}

TEST(AttentionTest, RefusesWidthsThatDoNotFit) {
  EXPECT_THROW(make_attention(DotAttention{}, {5, 4, 7}), UsageError);
  EXPECT_NO_THROW(make_attention(DotAttention{}, {4, 4, 7}));
  EXPECT_THROW(make_attention(MultiHeadAttention{.heads = 3}, {5, 4, 7}), UsageError);
  EXPECT_NO_THROW(make_attention(MultiHeadAttention{.heads = 7}, {5, 4, 7}));
  EXPECT_THROW(make_attention(MultiHeadAttention{.heads = 0}, {5, 4, 7}), UsageError);
  EXPECT_THROW(make_attention(LocalAttention{.window = 0}, {5, 4, 7}), UsageError);
}

// Luong's equations 9 and 10, one sentence and one query at a time, computed by a Python program.
TEST(LocalAttentionTest, EqualsPythons) {
  const Json reference = read_reference("nn_local_attention");
  const auto sizes = reference["sizes"].get<std::vector<int64_t>>();  // Q, H, A
  for (const Json& expected : reference["cases"]) {
    const LocalAttention kind{.window = expected["window"].get<int64_t>()};
    const AttentionPointer attention = make_attention(kind, {sizes[0], sizes[1], sizes[2]});
    attention->to(at::kDouble);
    move_to_test_device(*attention);
    fill_parameters(*attention, reference["scale"].get<double>());
    const auto all = expected["lengths"].get<std::vector<int64_t>>();
    const auto sentences = std::ssize(all), longest = *std::ranges::max_element(all);
    const auto hypotheses = expected["hypotheses"].get<int64_t>(), rows = sentences * hypotheses;
    const Tensor states = cosine({sentences, longest, sizes[1]}, 2000, 1.3);
    const Tensor mask = length_mask(at::tensor(all, on_device(at::kLong)), states.select(2, 0));
    const AttentionResult actual =
        attention->forward(cosine({rows, sizes[0]}, 3000, 1.3), attention->prepare(states, mask));
    EXPECT_TRUE(close(actual.weights, tensor_of(expected["weights"], {rows, longest}), 1e-12))
        << expected.dump();
    EXPECT_TRUE(close(actual.context, tensor_of(expected["context"], {rows, sizes[1]}), 1e-12));
  }
}

TEST(AdditiveScoresTest, GradientsEqualDifferences) {
  const Tensor keys = cosine_leaf({2, 4, 3}, 0), query = cosine_leaf({2, 2, 3}, 100),
               v = cosine_leaf({3}, 200);
  const Tensor mask = on_device(at::tensor({1, 1, 1, 1, 1, 1, 0, 0})).view({2, 4}).to(at::kBool);
  EXPECT_TRUE(gradients_agree([&] { return additive_scores(keys, query, v, mask) * mask.unsqueeze(1); },
                              {keys, query, v}));
}

}  // namespace
}  // namespace seq2seq::test
