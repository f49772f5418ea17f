#include "seq2seq/nn/layers/recurrent.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "../support/compare.h"
#include "../support/gradcheck.h"
#include "seq2seq/nn/layers/linear.h"

namespace seq2seq::test {
namespace {

constexpr Cell cells[] = {Cell::rnn, Cell::lstm, Cell::gru};

std::string name(Cell cell) {
  return option_names(cell)[static_cast<size_t>(cell)];
}

RecurrentLayer filled(Cell cell, int64_t inputs, int64_t hidden, double scale = 0.8) {
  RecurrentLayer layer(cell, inputs, hidden);
  layer->to(at::kDouble);
  move_to_test_device(*layer);
  fill_parameters(*layer, scale);
  return layer;
}

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

// One unit of one row: x and h are its parts of the input and recurrent gates, in torch's order.
std::pair<double, double> naive_unit(Cell cell, const std::vector<double>& x, const std::vector<double>& h,
                                     double hidden, double memory) {
  if (cell == Cell::rnn) return {std::tanh(x[0] + h[0]), 0};
  if (cell == Cell::lstm) {
    const double next = sigmoid(x[1] + h[1]) * memory + sigmoid(x[0] + h[0]) * std::tanh(x[2] + h[2]);
    return {sigmoid(x[3] + h[3]) * std::tanh(next), next};
  }
  const double reset = sigmoid(x[0] + h[0]), update = sigmoid(x[1] + h[1]);
  return {(1 - update) * std::tanh(x[2] + reset * h[2]) + update * hidden, 0};
}

CellState naive_step(Cell cell, const Tensor& input_gates, const Tensor& recurrent_gates,
                     const CellState& state) {
  const CellState next{at::zeros_like(state.hidden), at::zeros_like(state.hidden)};
  const int64_t width = state.hidden.size(1);
  const Tensor from_inputs = input_gates.cpu(), from_state = recurrent_gates.cpu();
  const auto x = from_inputs.accessor<double, 2>(), h = from_state.accessor<double, 2>();
  for (int64_t n = 0; n < state.hidden.size(0); ++n)
    for (int64_t unit = 0; unit < width; ++unit) {
      std::vector<double> from_input, from_hidden;
      for (int64_t gate = 0; gate < gate_count(cell); ++gate) {
        from_input.push_back(x[n][gate * width + unit]);
        from_hidden.push_back(h[n][gate * width + unit]);
      }
      const double memory = cell == Cell::lstm ? state.cell[n][unit].item<double>() : 0;
      const auto [hidden, next_memory] =
          naive_unit(cell, from_input, from_hidden, state.hidden[n][unit].item<double>(), memory);
      next.hidden[n][unit] = hidden;
      next.cell[n][unit] = next_memory;
    }
  return next;
}

struct Step {
  Tensor input_gates, recurrent_gates;
  CellState state;

  Step(Cell cell, int64_t rows, int64_t width, double scale)
      : input_gates(cosine_leaf({rows, gate_count(cell) * width}, 0, scale)),
        recurrent_gates(cosine_leaf({rows, gate_count(cell) * width}, 7000, scale)),
        state{cosine_leaf({rows, width}, 20000),
              cell == Cell::lstm ? cosine_leaf({rows, width}, 30000, 2.0) : Tensor()} {}

  std::vector<Tensor> leaves() const {
    std::vector<Tensor> result{input_gates, recurrent_gates, state.hidden};
    if (state.cell.defined()) result.push_back(state.cell);
    return result;
  }
  CellState run(Cell cell) const { return cell_step(cell, input_gates, recurrent_gates, state); }
};

class CellTest : public ::testing::TestWithParam<Cell> {};

TEST_P(CellTest, EqualsTheEquationsWrittenOut) {
  for (const int64_t width : {1, 3, 17, 130}) {
    const Step step(GetParam(), 4, width, 2.0);
    const CellState actual = step.run(GetParam());
    const CellState expected = naive_step(GetParam(), step.input_gates, step.recurrent_gates, step.state);
    EXPECT_TRUE(close(actual.hidden, expected.hidden, 1e-12)) << "width " << width;
    EXPECT_EQ(actual.cell.defined(), GetParam() == Cell::lstm);
    if (actual.cell.defined()) {
      EXPECT_TRUE(close(actual.cell, expected.cell, 1e-12)) << "width " << width;
    }
  }
}

TEST_P(CellTest, GradientsEqualDifferences) {
  const Step step(GetParam(), 3, 3, 1.5);
  EXPECT_TRUE(gradients_agree(
      [&] {
        const CellState next = step.run(GetParam());
        return next.cell.defined() ? at::cat({next.hidden, next.cell}, 1) : next.hidden;
      },
      step.leaves()));
  // The hidden state alone, as used at the last step of a sentence.
  EXPECT_TRUE(gradients_agree([&] { return step.run(GetParam()).hidden; }, step.leaves()));
}

TEST_P(CellTest, SaturatedGatesStayFiniteAndRight) {
  for (const double scale : {50.0, 1e4})
    for (const auto type : {at::kDouble, at::kFloat}) {
      const Step step(GetParam(), 4, 17, scale);
      const CellState exact = naive_step(GetParam(), step.input_gates, step.recurrent_gates, step.state);
      std::vector<Tensor> leaves;
      for (const Tensor& leaf : step.leaves()) leaves.push_back(leaf.detach().to(type).requires_grad_());
      const CellState next =
          cell_step(GetParam(), leaves[0], leaves[1], {leaves[2], leaves.size() > 3 ? leaves[3] : Tensor()});
      // A float gate of magnitude `scale` has a rounding error of 1e-7 * scale.
      const double tolerance = type == at::kFloat ? 1e-6 + 1e-7 * scale : 1e-9;
      EXPECT_TRUE(close(next.hidden, exact.hidden, tolerance)) << "scale " << scale;
      next.hidden.sum().backward();
      for (const Tensor& leaf : leaves)
        if (leaf.grad().defined()) {
          EXPECT_TRUE(leaf.grad().isfinite().all().item<bool>()) << "scale " << scale;
        }
    }
}

TEST_P(CellTest, ANotANumberIsNotHidden) {
  for (const auto type : {at::kDouble, at::kFloat}) {
    const Step step(GetParam(), 3, 17, 1.0);
    const Tensor gates = step.input_gates.detach().to(type);
    gates[1].fill_(std::nan(""));
    const CellState next = cell_step(
        GetParam(), gates, step.recurrent_gates.to(type),
        {step.state.hidden.to(type), step.state.cell.defined() ? step.state.cell.to(type) : Tensor()});
    EXPECT_TRUE(next.hidden[1].isnan().all().item<bool>());
    EXPECT_TRUE(next.hidden[0].isfinite().all().item<bool>());
    EXPECT_TRUE(next.hidden[2].isfinite().all().item<bool>());
  }
}

class RecurrentLayerTest : public ::testing::TestWithParam<Cell> {};

TEST_P(RecurrentLayerTest, EqualsTorch) {
  for (const auto& expected : read_reference("nn_recurrent")) {
    if (expected["cell"] != name(GetParam())) continue;
    const auto sizes = expected["sizes"].get<std::vector<int64_t>>();
    for (const bool loop : {false, true}) {
      RecurrentLayer layer = filled(GetParam(), sizes[2], sizes[3]);
      const Tensor x = cosine_leaf({sizes[0], sizes[1], sizes[2]}, 1000, 1.5);
      const Tensor states = loop ? layer->forward_loop(x) : layer->forward(x);
      EXPECT_TRUE(close(states, tensor_of(expected["states"], {sizes[0], sizes[1], sizes[3]}), 1e-12));
      (states * cosine(states.sizes(), 2000)).sum().backward();
      EXPECT_TRUE(close(x.grad(), tensor_of(expected["x_gradient"], x.sizes()), 1e-12));
      for (const auto& parameter : layer->named_parameters())
        EXPECT_TRUE(close(parameter.value().grad(),
                          tensor_of(expected["gradients"][parameter.key()], parameter.value().sizes()),
                          1e-12))
            << parameter.key() << (loop ? ", loop" : ", fused");
    }
    return;
  }
  FAIL() << "no reference for " << name(GetParam());
}

TEST_P(RecurrentLayerTest, FusedEqualsTheLoop) {
  for (const auto type : {at::kDouble, at::kFloat}) {
    RecurrentLayer layer = filled(GetParam(), 7, 33, 0.3);
    layer->to(type);
    move_to_test_device(*layer);
    const Tensor x = cosine({3, 9, 7}, 1000).to(type).requires_grad_();
    std::vector<Tensor> leaves = layer->parameters();
    leaves.push_back(x);
    const Tensor fused = layer->forward(x), loop = layer->forward_loop(x);
    const double tolerance = type == at::kFloat ? 1e-4 : 1e-10;
    EXPECT_TRUE(close(fused, loop, tolerance));
    const Tensor weights = cosine(fused.sizes(), 2000).to(type);
    const auto a = torch::autograd::grad({(fused * weights).sum()}, leaves);
    const auto b = torch::autograd::grad({(loop * weights).sum()}, leaves);
    for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(close(a[i], b[i], tolerance)) << "leaf " << i;
    const at::NoGradGuard no_grad;  // oneDNN's inference layer
    EXPECT_TRUE(close(layer->forward(x), fused, tolerance));
  }
}

TEST_P(RecurrentLayerTest, GradientsEqualDifferencesWithAMask) {
  RecurrentLayer layer = filled(GetParam(), 2, 3);
  const Tensor x = cosine_leaf({2, 3, 2}, 1000);
  const Tensor mask = at::tensor({2.0, 0.0, 2.0, 0.0, 2.0, 2.0}, on_device(at::kDouble)).view({2, 3});
  std::vector<Tensor> leaves = layer->parameters();
  leaves.push_back(x);
  EXPECT_TRUE(gradients_agree([&] { return layer->forward(x, mask); }, leaves));
}

// A mask of 0.5 has the effect of halved recurrent weights.
TEST_P(RecurrentLayerTest, TheMaskMultipliesTheStateAtEveryStep) {
  RecurrentLayer layer = filled(GetParam(), 4, 5), halved = filled(GetParam(), 4, 5);
  {
    const at::NoGradGuard no_grad;
    halved->weight_hh.mul_(0.5);
  }
  const Tensor x = cosine({2, 6, 4}, 1000), mask = at::full({2, 5}, 0.5, on_device(at::kDouble));
  if (GetParam() == Cell::gru) {
    // A GRU also carries the state past the recurrent product; the mask must not apply there.
    CellState state{cosine({2, 5}, 50), {}};
    const Tensor gates = layer->input_gates(x.select(1, 0));
    EXPECT_TRUE(close(layer->step(gates, state, mask).hidden, halved->step(gates, state).hidden));
  }
  EXPECT_TRUE(close(layer->forward(x, mask), halved->forward(x)));
  EXPECT_TRUE(close(layer->forward(x, at::ones_like(mask)), layer->forward(x)));
}

TEST_P(RecurrentLayerTest, LaterInputsDoNotMatterToEarlierStates) {
  RecurrentLayer layer = filled(GetParam(), 4, 5);
  const Tensor x = cosine({2, 6, 4}, 1000), changed = x.clone();
  changed.narrow(1, 3, 3).fill_(9);
  EXPECT_TRUE(close(layer->forward(changed).narrow(1, 0, 3), layer->forward(x).narrow(1, 0, 3), 1e-14));
  EXPECT_FALSE(close(layer->forward(changed).narrow(1, 3, 1), layer->forward(x).narrow(1, 3, 1), 1e-3));
}

TEST_P(RecurrentLayerTest, OneStepAndOneSentenceAreNoSpecialCase) {
  RecurrentLayer layer = filled(GetParam(), 1, 1);
  const Tensor x = cosine({1, 1, 1}, 1000);
  EXPECT_TRUE(close(layer->forward(x), layer->forward_loop(x), 1e-14));
  EXPECT_EQ(layer->forward(x).sizes(), at::IntArrayRef({1, 1, 1}));
}

const auto by_name = [](const auto& info) { return name(info.param); };
INSTANTIATE_TEST_SUITE_P(Cells, CellTest, ::testing::ValuesIn(cells), by_name);
INSTANTIATE_TEST_SUITE_P(Cells, RecurrentLayerTest, ::testing::ValuesIn(cells), by_name);

}  // namespace
}  // namespace seq2seq::test
