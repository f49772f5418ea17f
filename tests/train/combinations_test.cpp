// Every combination of parts is either refused with a reason or works: docs/combinations.md.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../support/combinations.h"
#include "../support/compare.h"
#include "../support/tiny_model.h"

namespace seq2seq::test {
namespace {

using Cell3 = std::tuple<Choice, Choice, Choice>;

class CombinationTest : public ::testing::TestWithParam<Cell3> {
 protected:
  Combination combination =
      combined({std::get<0>(GetParam()), std::get<1>(GetParam()), std::get<2>(GetParam())},
               {{"model.embedding.size", int64_t{8}}});
};

// What seq2seq_laws_test checks in detail, here in short for each combination that a user can request.
TEST_P(CombinationTest, IsRefusedWithAReasonOrWorks) {
  const auto& [encoder, decoder, feature] = GetParam();
  if (combination.refusal && decoder.name == "rnn, dot" && encoder.name == "transformer") {
    // Here the user has to set equal widths.
    combination = combined({encoder, decoder, feature},
                           {{"model.embedding.size", int64_t{8}}, {"model.decoder.size", int64_t{8}}});
  }
  if (combination.refusal) {
    EXPECT_GT(combination.refusal->size(), 20U);
    const bool copies_nothing = feature.name != "alone" || encoder.name == "hierarchical";
    EXPECT_TRUE(copies_nothing) << *combination.refusal;
    return;
  }
  const TrainOptions& options = combination.options;
  Architecture inputs{};
  inputs.copying = options.model.copying;
  inputs.hierarchical = encoder.name == "hierarchical";
  Seq2Seq model = tiny_model(options.model, 9, 0.3);
  const TensorBatch batch = batch_of(examples_for(inputs));
  {
    const at::NoGradGuard no_grad;
    const Memory memory = model->encode(batch.source);
    const Tensor expected = log_probabilities_of(model, memory, model->decode(memory, batch.target_input));
    State state = model->start(memory);
    for (int64_t t = 0; t < batch.target_input.size(1); ++t) {
      const Step step = model->advance(memory, batch.target_input.select(1, t), state);
      EXPECT_TRUE(
          close(model->output()->log_probabilities(step, memory).clamp_min(-700), expected.select(1, t)));
      state = step.next;
    }
  }
  // A training step as in the trainer.
  Noise noise(1);
  const Memory memory = model->encode(batch.source, &noise);
  const double sampling = options.optimization.scheduled_sampling;
  const StepSequence steps = sampling > 0
                                 ? model->decode_sampled(memory, batch.target_input, sampling, &noise)
                                 : model->decode(memory, batch.target_input, &noise);
  Tensor loss = model->output()->loss(steps, memory, batch.target_output, 0.1).loss;
  if (options.optimization.coverage_loss > 0) {
    const Tensor covered = coverage_loss(steps.attention, batch.target_output.ne(Vocabulary::padding));
    EXPECT_GT(covered.item<double>(), 0);
    loss = loss + covered;
  }
  loss.backward();
  for (const auto& parameter : model->named_parameters()) {
    ASSERT_TRUE(parameter.value().grad().defined()) << parameter.key();
    EXPECT_TRUE(std::isfinite(parameter.value().grad().norm().item<double>())) << parameter.key();
  }
}

INSTANTIATE_TEST_SUITE_P(Cells, CombinationTest,
                         ::testing::Combine(::testing::ValuesIn(encoder_choices()),
                                            ::testing::ValuesIn(decoder_choices()),
                                            ::testing::ValuesIn(feature_choices())),
                         [](const auto& test) {
                           std::string name = std::get<0>(test.param).name + "_" +
                                              std::get<1>(test.param).name + "_" +
                                              std::get<2>(test.param).name;
                           std::erase(name, ',');
                           std::ranges::replace_if(
                               name, [](char c) { return c == ' ' || c == '-'; }, '_');
                           return name;
                         });

}  // namespace
}  // namespace seq2seq::test
