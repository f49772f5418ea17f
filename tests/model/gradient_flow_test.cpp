#include "seq2seq/model/gradient_flow.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "../support/compare.h"
#include "../support/tiny_model.h"
#include "seq2seq/nn/engine/compute.h"

namespace seq2seq::test {
namespace {

// With zero inputs and biases every state is 0, where tanh has slope 1: the network is linear, and the
// gradient at distance d is (W^T)^d head.
TEST(GradientFlowTest, OfALinearRnnIsAPowerOfItsMatrix) {
  for (const double scale : {0.3, 0.6, 1.4}) {  // vanishing and exploding gradients
    SimpleRnn rnn(3, 4, 2);
    rnn->to(at::kDouble);
    move_to_test_device(*rnn);
    fill_parameters(*rnn, scale);
    auto parameters = rnn->named_parameters();
    {
      const at::NoGradGuard no_grad;
      parameters["recurrence.bias_ih"].zero_();
      parameters["recurrence.bias_hh"].zero_();
    }
    const GradientFlow flow = gradient_flow(rnn, at::zeros({2, 9, 3}, on_device(at::kDouble)));
    Tensor expected = parameters["head.weight"].detach().sum(0);  // [H]
    ASSERT_EQ(flow.norms.size(), 9U);
    for (size_t distance = 0; distance < 9; ++distance) {
      EXPECT_NEAR(flow.norms[distance] / expected.norm().item<double>(), 1.0, 1e-12) << distance;
      expected = parameters["recurrence.weight_hh"].detach().t().matmul(expected);
    }
  }
}

TEST(GradientFlowTest, OfASimpleRnnEqualsDifferencesOfItsStates) {
  SimpleRnn rnn(3, 4, 2);
  rnn->to(at::kDouble);
  move_to_test_device(*rnn);
  fill_parameters(*rnn, 0.9);
  const auto parameters = rnn->named_parameters();
  const Tensor x = cosine({1, 6, 3}, 1000, 1.5);
  const Tensor states = rnn->states(x).detach();
  const auto head_of_state = [&](int64_t step, Tensor h) {  // continues from there
    for (int64_t t = step + 1; t < 6; ++t)
      h = (x[0][t].matmul(parameters["recurrence.weight_ih"].t()) + parameters["recurrence.bias_ih"] +
           h.matmul(parameters["recurrence.weight_hh"].t()) + parameters["recurrence.bias_hh"])
              .tanh();
    return (h.matmul(parameters["head.weight"].t()) + parameters["head.bias"]).sum().item<double>();
  };
  const GradientFlow flow = gradient_flow(rnn, x);
  constexpr double step_size = 1e-6;
  for (int64_t distance = 0; distance < 6; ++distance) {
    double square = 0;
    for (int64_t i = 0; i < 4; ++i) {
      const Tensor step = at::zeros({4}, on_device(at::kDouble));
      step[i] = step_size;
      const Tensor h = states[0][5 - distance];
      square += std::pow(
          (head_of_state(5 - distance, h + step) - head_of_state(5 - distance, h - step)) / (2 * step_size),
          2);
    }
    EXPECT_NEAR(flow.norms[static_cast<size_t>(distance)] / std::sqrt(square), 1.0, 1e-7) << distance;
  }
}

class GradientFlowLaws : public testing::TestWithParam<Architecture> {};

std::vector<Architecture> measured_architectures() {
  std::vector<Architecture> all;
  for (const Cell cell : {Cell::rnn, Cell::lstm, Cell::gru})
    for (const AttentionOptions& attention :
         {AttentionOptions(NoAttention{}), AttentionOptions(AdditiveAttention{})})
      for (const bool bidirectional : {false, true}) all.push_back({cell, attention, true, 2, bidirectional});
  Architecture copying{.layers = 1, .coverage = LinearCoverage{}};
  copying.copying = copying.hierarchical = true;
  all.push_back(copying);
  Architecture transformer{.layers = 2};
  transformer.transformer_encoder = transformer.transformer_decoder = true;
  all.push_back(transformer);
  return all;
}

// A sentence has the same norms alone and in a batch, whatever the padding: the flow of a batch is the mean
// over the flows of its sentences.
TEST_P(GradientFlowLaws, IsTheMeanOverSentences) {
  Seq2Seq model = tiny_model(tiny_options(GetParam()));
  const auto examples = random_examples({6, 2, 4}, {3, 1, 5});
  const GradientFlow together = gradient_flow(model, batch_of(examples));
  std::vector<double> sums, counts;
  for (const Example& example : examples) {
    const GradientFlow alone = gradient_flow(model, batch_of({example}));
    ASSERT_EQ(alone.norms.size(), example.source.size() + 1 + example.target.size());
    EXPECT_EQ(alone.target_steps, static_cast<double>(example.target.size()));
    for (const double norm : alone.norms) EXPECT_GT(norm, 0);  // the recorded states are those that are used
    sums.resize(std::max(sums.size(), alone.norms.size()));
    counts.resize(sums.size());
    for (size_t i = 0; i < alone.norms.size(); ++i) {
      sums[i] += alone.norms[i];
      ++counts[i];
    }
  }
  ASSERT_EQ(together.norms.size(), sums.size());
  EXPECT_DOUBLE_EQ(together.target_steps, 3.0);
  for (size_t i = 0; i < sums.size(); ++i)
    EXPECT_NEAR(together.norms[i], sums[i] / counts[i], 1e-12 + 1e-9 * sums[i]) << i;
}

TEST_P(GradientFlowLaws, PlainKernelsMeasureTheSame) {
  Seq2Seq model = tiny_model(tiny_options(GetParam()));
  const TensorBatch batch = batch_of(random_examples({6, 2, 4}, {3, 1, 5}));
  const GradientFlow fast = gradient_flow(model, batch);
  const ComputeScope kernels(&Compute::kernels, Kernels::plain);
  const GradientFlow plain = gradient_flow(model, batch);
  ASSERT_EQ(fast.norms.size(), plain.norms.size());
  for (size_t i = 0; i < fast.norms.size(); ++i)
    EXPECT_NEAR(fast.norms[i], plain.norms[i], 1e-12 + 1e-9 * plain.norms[i]) << i;
}

TEST_P(GradientFlowLaws, TheParameterNormIsThatOfTraining) {
  Seq2Seq model = tiny_model(tiny_options(GetParam()));
  const auto examples = random_examples({6}, {1});
  const TensorBatch batch = batch_of(examples);
  Tensor targets = batch.target_output.clone();
  targets.select(1, 1).fill_(Vocabulary::padding);  // </s>
  const Memory memory = model->encode(batch.source);
  model->output()->loss(model->decode(memory, batch.target_input), memory, targets, 0).loss.backward();
  double square = 0;
  for (const Tensor& parameter : model->parameters())
    if (parameter.grad().defined()) square += parameter.grad().square().sum().item<double>();
  const Tensor before = model->source_embedding()->weight.grad().clone();
  const GradientFlow flow = gradient_flow(model, batch);
  EXPECT_NEAR(flow.parameter_norm / std::sqrt(square), 1.0, 1e-9);
  EXPECT_TRUE(same(model->source_embedding()->weight.grad(), before));  // left unchanged
}

INSTANTIATE_TEST_SUITE_P(All, GradientFlowLaws, testing::ValuesIn(measured_architectures()),
                         [](const auto& test) { return name_of(test.param); });

// Without attention the decoder sees only the encoder's summary: the forward layer's last state and the
// backward layer's first. Without recurrence no other state matters.
TEST(GradientFlowTest, WithoutAttentionTheEndsCarryAll) {
  for (const bool bidirectional : {false, true}) {
    Seq2Seq model = tiny_model(tiny_options({.cell = Cell::rnn,
                                             .attention = NoAttention{},
                                             .input_feeding = false,
                                             .bidirectional = bidirectional}));
    auto parameters = model->named_parameters();
    for (const char* direction : {"forward", "backward"})
      if (auto* weight = parameters.find("encoder.layer0_" + std::string(direction) + ".weight_hh")) {
        const at::NoGradGuard no_grad;
        weight->zero_();
      }
    const auto examples = random_examples({5}, {1});
    const GradientFlow flow = gradient_flow(model, batch_of(examples));

    const Tensor summary = model->encode(batch_of(examples).source).summary().detach().requires_grad_();
    const Tensor initial =
        (summary.matmul(parameters["decoder.bridge.weight"].t()) + parameters["decoder.bridge.bias"]).tanh();
    const Memory memory = model->encode(batch_of(examples).source);
    const Step step = model->advance(memory, at::full({1}, Vocabulary::begin, on_device(at::kLong)),
                                     State(std::vector<Tensor>{initial}));
    const Tensor loss = -model->output()->log_probabilities(step.features)[0][examples[0].target[0]];
    const auto gradients = torch::autograd::grad({loss}, {step.features, summary});
    const Tensor ahead = gradients[1].narrow(1, 0, 3),
                 back = gradients[1].narrow(1, 3, bidirectional ? 3 : 0);
    ASSERT_EQ(flow.norms.size(), 7U);  // one of the target, five tokens and </s> of the source
    EXPECT_NEAR(flow.norms[0], gradients[0].norm().item<double>(), 1e-12);
    EXPECT_NEAR(flow.norms[1], ahead.norm().item<double>(), 1e-12);
    for (size_t distance = 2; distance < 6; ++distance) EXPECT_EQ(flow.norms[distance], 0);
    EXPECT_NEAR(flow.norms[6], back.norm().item<double>(), 1e-12);
    EXPECT_GT(flow.norms[1], 0);
    EXPECT_EQ(flow.norms[6] > 0, bidirectional);
  }
}

TEST(GradientFlowTest, TheProbeRecallsTheWordSoManyStepsBack) {
  const auto examples = recall_examples(20, 7, 2, 12, 1);
  ASSERT_EQ(examples.size(), 20U);
  for (const Example& example : examples) {
    ASSERT_EQ(example.source.size(), 7U);
    EXPECT_EQ(example.target, std::vector<int64_t>{example.source[4]});
    for (const int64_t word : example.source) {
      EXPECT_GE(word, Vocabulary::special_count);
      EXPECT_LT(word, 12);
    }
  }
  EXPECT_NE(examples[0].source, examples[1].source);
}

}  // namespace
}  // namespace seq2seq::test
