#include "seq2seq/model/simple_rnn.h"

#include <gtest/gtest.h>

#include "../support/compare.h"
#include "../support/gradcheck.h"

namespace seq2seq::test {
namespace {

SimpleRnn filled(int64_t inputs, int64_t hidden, int64_t outputs) {
  SimpleRnn rnn(inputs, hidden, outputs);
  rnn->to(at::kDouble);
  move_to_test_device(*rnn);
  fill_parameters(*rnn, 0.7);
  return rnn;
}

/// By LibTorch's fused layer.
Tensor fused(SimpleRnn& rnn, const Tensor& x) {
  const auto weights = rnn->named_parameters();
  const Tensor state = at::zeros({1, x.size(0), weights["recurrence.weight_hh"].size(1)}, x.options());
  const std::vector<Tensor> recurrence{weights["recurrence.weight_ih"], weights["recurrence.weight_hh"],
                                       weights["recurrence.bias_ih"], weights["recurrence.bias_hh"]};
  const Tensor states = std::get<0>(at::rnn_tanh(x, state, recurrence, /*has_biases=*/true, /*num_layers=*/1,
                                                 /*dropout=*/0.0, /*train=*/false, /*bidirectional=*/false,
                                                 /*batch_first=*/true));
  return at::linear(states.select(1, -1), weights["head.weight"], weights["head.bias"]);
}

TEST(SimpleRnnTest, EqualsTheEquationInPython) {
  const Json expected = read_reference("model_simple_rnn");
  const auto sizes = expected["sizes"].get<std::vector<int64_t>>();  // B, T, I, H, O
  SimpleRnn rnn = filled(sizes[2], sizes[3], sizes[4]);
  const Tensor x = cosine({sizes[0], sizes[1], sizes[2]}, 1000, 1.5);
  EXPECT_TRUE(close(rnn->states(x), tensor_of(expected["states"], {sizes[0], sizes[1], sizes[3]}), 1e-12));
  const Tensor outputs = rnn->forward(x);
  EXPECT_TRUE(close(outputs, tensor_of(expected["outputs"], {sizes[0], sizes[4]}), 1e-12));
  (outputs * cosine(outputs.sizes(), 2000)).sum().backward();
  for (const auto& parameter : rnn->named_parameters())
    EXPECT_TRUE(close(parameter.value().grad(),
                      tensor_of(expected["gradients"][parameter.key()], parameter.value().sizes()), 1e-12))
        << parameter.key();
}

TEST(SimpleRnnTest, TheLoopEqualsTheFusedLayer) {
  for (const auto type : {at::kDouble, at::kFloat})
    for (const int64_t steps : {1, 2, 40}) {
      SimpleRnn rnn = filled(3, 17, 5);
      rnn->to(type);
      move_to_test_device(*rnn);
      const Tensor x = cosine({4, steps, 3}, 1000).to(type);
      EXPECT_TRUE(close(rnn->forward(x), fused(rnn, x), type == at::kFloat ? 1e-4 : 1e-11)) << steps;
    }
}

// h_1 = tanh(W_ih x_1 + b_ih + b_hh) when h_0 = 0, whatever W_hh is.
TEST(SimpleRnnTest, BeginsWithAZeroState) {
  SimpleRnn rnn = filled(3, 4, 2);
  const auto weights = rnn->named_parameters();
  const Tensor x = cosine({2, 3, 3}, 1000);
  const Tensor first = (x.select(1, 0).matmul(weights["recurrence.weight_ih"].t()) +
                        weights["recurrence.bias_ih"] + weights["recurrence.bias_hh"])
                           .tanh();
  EXPECT_TRUE(close(rnn->states(x).select(1, 0), first));
  // No state is kept between calls.
  EXPECT_TRUE(same(rnn->forward(x), rnn->forward(x)));
}

TEST(SimpleRnnTest, GradientsEqualDifferences) {
  SimpleRnn rnn = filled(2, 3, 2);
  const Tensor x = cosine_leaf({2, 5, 2}, 1000);
  std::vector<Tensor> leaves = rnn->parameters();
  leaves.push_back(x);
  EXPECT_TRUE(gradients_agree([&] { return rnn->forward(x); }, leaves));
}

TEST(SimpleRnnTest, RefusesInputOfAnotherWidth) {
  SimpleRnn rnn = filled(2, 3, 2);
  EXPECT_THROW(rnn->forward(at::zeros({1, 4, 3}, on_device(at::kDouble))), c10::Error);
}

}  // namespace
}  // namespace seq2seq::test
