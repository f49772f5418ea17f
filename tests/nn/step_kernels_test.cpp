// The kernels of steps against LibTorch's operations and explicit loops.
#include "seq2seq/nn/engine/step_kernels.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "../support/compare.h"
#include "../support/fill.h"
#include "seq2seq/nn/engine/weight_store.h"
#include "seq2seq/nn/layers/recurrent.h"
#include "seq2seq/nn/ops/kernel_sets.h"
#include "seq2seq/nn/ops/mean_state.h"
#include "seq2seq/nn/ops/nonlinearity.h"

namespace seq2seq::test {
namespace {

constexpr double tolerance = 2e-6;

void for_each_steps(const std::function<void(const StepKernels&)>& run) {
  for (const KernelSet* set : kernel_sets()) {
    if (set->steps == nullptr || !set->serves(at::empty({1}))) continue;
    SCOPED_TRACE(set->name);
    const ComputeScope scope(&Compute::set, set);
    run(*set->steps);
  }
}

Tensor floats(at::IntArrayRef sizes, double scale = 1) {
  return (cosine(sizes) * scale).to(at::kCPU, at::kFloat).contiguous();
}
float* data(const Tensor& x) {
  return x.mutable_data_ptr<float>();
}
Matrix matrix(const Tensor& x) {
  return {data(x), x.size(0), x.size(1), x.stride(0)};
}

TEST(StepKernels, ProductsAddToRowsThatAreApart) {
  const int64_t rows = 7, inputs = 21, outputs = 37;
  const Tensor weight = floats({outputs, inputs}), bias = floats({outputs}, 2);
  WeightStore store({weight});
  for_each_steps([&](const StepKernels& kernels) {
    for (const bool add : {false, true}) {
      const Tensor wide = floats({rows, inputs + 5}), x = wide.narrow(1, 3, inputs);
      const Tensor all = floats({rows, outputs + 4}, 3), y = all.narrow(1, 2, outputs);
      const Tensor expected = at::linear(x, weight, bias) + (add ? y.clone() : at::zeros({rows, outputs}));
      const Tensor untouched = all.clone();
      kernels.product({.x = data(x),
                       .weight = store.packed(weight)->panels(),
                       .bias = data(bias),
                       .y = data(y),
                       .rows = rows,
                       .width = inputs,
                       .columns = outputs,
                       .x_stride = x.stride(0),
                       .y_stride = y.stride(0),
                       .add = add});
      EXPECT_TRUE(close(y, expected, tolerance));
      EXPECT_TRUE(all.narrow(1, 0, 2).equal(untouched.narrow(1, 0, 2)));
      EXPECT_TRUE(all.narrow(1, outputs + 2, 2).equal(untouched.narrow(1, outputs + 2, 2)));
    }
  });
}

TEST(StepKernels, NonlinearFunctionsAreLibTorchs) {
  const Tensor x =
      at::cat({at::linspace(-12, 12, 999), at::tensor({0.0F, -0.0F, 90.0F, -90.0F})}).view({17, 59});
  for_each_steps([&](const StepKernels& kernels) {
    const auto of = [&](Nonlinearity function) {
      const Tensor y = x.clone();
      kernels.nonlinear(function, matrix(y));
      return y;
    };
    EXPECT_TRUE(of(Nonlinearity::relu).equal(x.relu()));
    EXPECT_TRUE(close(of(Nonlinearity::gelu), at::gelu(x.to(at::kDouble)), tolerance));
    EXPECT_TRUE(close(of(Nonlinearity::tanh), x.to(at::kDouble).tanh(), tolerance));
    EXPECT_TRUE(close(of(Nonlinearity::sigmoid), x.to(at::kDouble).sigmoid(), tolerance));
    EXPECT_TRUE(nonlinear(Nonlinearity::tanh, x).equal(of(Nonlinearity::tanh)));
  });
  const Tensor differentiated = x.clone().requires_grad_();
  EXPECT_TRUE(nonlinear(Nonlinearity::gelu, differentiated).requires_grad());
}

TEST(StepKernels, NormalizationIsLibTorchs) {
  for (const int64_t width : {1, 5, 16, 70}) {
    const Tensor x = floats({6, width}, 3) + 2, gain = floats({width}), bias = floats({width}, 0.5);
    const Tensor expected =
        at::layer_norm(x.to(at::kDouble), {width}, gain.to(at::kDouble), bias.to(at::kDouble), 1e-5);
    for_each_steps([&](const StepKernels& kernels) {
      const Tensor y = x.clone();
      kernels.normalize({matrix(y), matrix(y), data(gain), data(bias)});
      EXPECT_TRUE(close(y, expected, 1e-5)) << width;
    });
  }
}

/// Sentences of 3, 1 and 18 states, and five rows that attend to them.
struct Sentences {
  std::vector<int64_t> lengths{3, 1, 18}, sentences{2, 0, 0, 1, 2};
  int64_t length = 18;
  int64_t rows() const { return static_cast<int64_t>(sentences.size()); }
  int64_t of(int64_t row) const { return sentences[static_cast<size_t>(row)]; }
  int64_t count(int64_t row) const { return lengths[static_cast<size_t>(of(row))]; }
};

TEST(StepKernels, AttentionToRowsIsAsWritten) {
  const Sentences given;
  const int64_t keys_width = 21, width = 70;
  const Tensor keys = floats({3, 18, keys_width}), states = floats({3, 18, width}),
               v = floats({keys_width}, 2), u = floats({keys_width}, 0.7), query = floats({5, keys_width}),
               covered = floats({5, 18}).abs();
  for (const bool additive : {true, false})
    for (const bool covers : {true, false}) {
      Tensor weights = at::zeros({5, 18}, at::kDouble), context = at::zeros({5, width}, at::kDouble);
      for (int64_t row = 0; row < given.rows(); ++row) {
        const int64_t count = given.count(row);
        const auto in_double = [&](const Tensor& x) { return x.to(at::kDouble); };
        Tensor shifted = in_double(keys[given.of(row)].narrow(0, 0, count));
        if (covers)
          shifted = shifted + in_double(covered[row].narrow(0, 0, count)).unsqueeze(1) * in_double(u);
        const Tensor scores = additive ? (shifted + in_double(query[row])).tanh().matmul(in_double(v))
                                       : shifted.matmul(in_double(query[row]));
        weights[row].narrow(0, 0, count).copy_(scores.softmax(0));
        context[row].copy_(weights[row].matmul(in_double(states[given.of(row)])));
      }
      for_each_steps([&](const StepKernels& kernels) {
        const Tensor found = at::full({5, 18}, 9.0F), wide = at::full({5, width + 3}, 9.0F);
        kernels.attend_to_rows({.query = data(query),
                                .keys = data(keys),
                                .states = data(states),
                                .sentences = given.sentences.data(),
                                .lengths = given.lengths.data(),
                                .v = additive ? data(v) : nullptr,
                                .covered = covers ? data(covered) : nullptr,
                                .u = covers ? data(u) : nullptr,
                                .weights = data(found),
                                .context = data(wide),
                                .rows = 5,
                                .length = 18,
                                .key_width = keys_width,
                                .state_width = width,
                                .context_stride = width + 3});
        EXPECT_TRUE(close(found, weights, tolerance)) << additive << covers;
        EXPECT_TRUE(close(wide.narrow(1, 0, width), context, tolerance)) << additive << covers;
        EXPECT_TRUE(wide.narrow(1, width, 3).eq(9).all().item<bool>());
      });
    }
}

TEST(StepKernels, AttentionToTheSourceIsAsWritten) {
  const Sentences given;
  for (const int64_t width : {5, 16, 64}) {
    const int64_t heads = 2, all = heads * width;
    const Tensor keys = floats({3, heads, 18, width}), both = floats({3, 18, 2 * all}),
                 values = both.narrow(2, all, all), queries = floats({5, all}, 0.5);
    const Tensor columns = at::constant_pad_nd(keys.transpose(2, 3), {0, 14}, 1e30).contiguous();
    Tensor context = at::zeros({5, all}, at::kDouble), first = at::zeros({5, 18}, at::kDouble);
    for (int64_t row = 0; row < given.rows(); ++row)
      for (int64_t head = 0; head < heads; ++head) {
        const int64_t count = given.count(row);
        const Tensor query = queries[row].narrow(0, head * width, width).to(at::kDouble);
        const Tensor weights =
            (keys[given.of(row)][head].narrow(0, 0, count).to(at::kDouble).matmul(query) * 0.3).softmax(0);
        const Tensor seen =
            values[given.of(row)].narrow(0, 0, count).narrow(1, head * width, width).to(at::kDouble);
        context[row].narrow(0, head * width, width).copy_(weights.matmul(seen));
        if (head == 0) first[row].narrow(0, 0, count).copy_(weights);
      }
    for_each_steps([&](const StepKernels& kernels) {
      const Tensor found = at::empty({5, all}), weights = at::full({5, 18}, 9.0F);
      SourceAttention terms{.queries = data(queries),
                            .keys = data(columns),
                            .values = data(values),
                            .sentences = given.sentences.data(),
                            .lengths = given.lengths.data(),
                            .weights = data(weights),
                            .context = data(found),
                            .rows = 5,
                            .heads = heads,
                            .width = width,
                            .length = 18,
                            .value_stride = 2 * all,
                            .scale = 0.3F};
      kernels.attend_to_source(terms);
      EXPECT_TRUE(close(found, context, tolerance)) << width;
      EXPECT_TRUE(close(weights, first, tolerance)) << width;
      found.zero_();
      terms.weights = nullptr;
      kernels.attend_to_source(terms);
      EXPECT_TRUE(close(found, context, tolerance)) << width;
    });
  }
}

TEST(StepKernels, AttentionToThePastFollowsAncestors) {
  const int64_t heads = 2, width = 20, all = heads * width, rows = 3, positions = 4;
  const Tensor past = floats({positions, 6, 2 * all}), queries = floats({rows, 3 * all});
  std::vector<const float*> places;
  for (int64_t t = 0; t < positions; ++t) places.push_back(data(past) + t * 6 * 2 * all);
  const std::vector<int32_t> ancestors{0, 3,  1, 0, -1, 2, 5, 4,
                                       1, -1, 0, 0, 0,  2, -1};  // the last column is not read
  Tensor expected = at::zeros({rows, all}, at::kDouble);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t head = 0; head < heads; ++head) {
      std::vector<Tensor> keys, values;
      for (int64_t t = 0; t < positions; ++t) {
        const Tensor both = past[t][ancestors[static_cast<size_t>(row * 5 + t)]].to(at::kDouble);
        keys.push_back(both.narrow(0, head * width, width));
        values.push_back(both.narrow(0, all + head * width, width));
      }
      const Tensor query = queries[row].narrow(0, head * width, width).to(at::kDouble);
      const Tensor weights = (at::stack(keys).matmul(query) * 0.7).softmax(0);
      expected[row].narrow(0, head * width, width).copy_(weights.matmul(at::stack(values)));
    }
  for_each_steps([&](const StepKernels& kernels) {
    const Tensor context = at::empty({rows, all});
    kernels.attend_to_past({.queries = data(queries),
                            .past = places.data(),
                            .ancestors = ancestors.data(),
                            .context = data(context),
                            .rows = rows,
                            .heads = heads,
                            .width = width,
                            .positions = positions,
                            .query_stride = 3 * all,
                            .ancestor_stride = 5,
                            .scale = 0.7F});
    EXPECT_TRUE(close(context, expected, tolerance));
  });
}

TEST(StepKernels, ARecurrentLayerIsTheLoop) {
  const at::NoGradGuard no_grad;
  for (const Cell cell : {Cell::rnn, Cell::lstm, Cell::gru}) {
    RecurrentLayer layer(cell, 19, 35);
    fill_parameters(*layer, 0.4);
    layer->to(at::kFloat);
    const Tensor x = floats({3, 9, 19});
    const Tensor expected = layer->forward_loop(x);
    WeightStore store(layer->parameters());
    for_each_steps([&](const StepKernels&) {
      EXPECT_FALSE(recurrence(cell, x, {layer->weight_ih, layer->weight_hh, layer->bias_ih, layer->bias_hh})
                       .defined());
      const ComputeScope packed(&Compute::weights, &store);
      EXPECT_TRUE(close(layer->forward(x), expected, 1e-5));
      EXPECT_TRUE(layer->forward(x.narrow(0, 1, 1)).equal(layer->forward(x).narrow(0, 1, 1)));
    });
    for (const WeightFormat format : {WeightFormat::bfloat16, WeightFormat::int8}) {
      WeightStore rounding(layer->parameters(), format);
      for_each_steps([&](const StepKernels&) {
        const ComputeScope packed(&Compute::weights, &rounding);
        const Tensor rounded = layer->forward(x);
        const auto difference = ((rounded - expected).norm() / expected.norm()).item<double>();
        EXPECT_GT(difference, 1e-4);
        EXPECT_LT(difference, 0.05);
        EXPECT_TRUE(layer->forward(x.narrow(0, 1, 1)).equal(rounded.narrow(0, 1, 1)));
      });
    }
  }
}

TEST(Masks, TheMeanOfStatesDoesNotDependOnPadding) {
  const Tensor x = floats({1, 5, 33});
  const Tensor lengths = at::tensor({int64_t{5}});
  const Tensor mean = mean_state(x, lengths);
  EXPECT_TRUE(close(mean, x.mean(1), tolerance));
  EXPECT_TRUE(mean_state(at::constant_pad_nd(x, {0, 0, 0, 40}), lengths).equal(mean));
}

}  // namespace
}  // namespace seq2seq::test
