#include "seq2seq/train/update.h"

#include <gmock/gmock.h>

#include "../support/compare.h"
#include "../support/tiny_model.h"
#include "seq2seq/core/error.h"
#include "training_support.h"

namespace seq2seq::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

class UpdateTest : public ::testing::Test {
 protected:
  UpdateTest() {
    options.average_decay = 0.5;
    options.clip_norm = 0.01;
  }
  static ModelOptions with_dropout() {
    ModelOptions model = tiny_options({});
    std::get<RnnEncoderOptions>(model.encoder).dropout = 0.3;
    return model;
  }

  OptimizationOptions options;
  Seq2Seq model = tiny_model(with_dropout()), other = tiny_model(with_dropout());
  const std::vector<Batch> batches{make_batch(random_examples({3, 1}, {2, 4})),
                                   make_batch(random_examples({5, 2, 6}, {1, 6, 3}))};
};

TEST_F(UpdateTest, IsItsPartsInTheirOrder) {
  Update update(model, options, /*seed=*/7);
  Optimizer optimizer(*other, options.optimizer);
  WeightAverage average(*other, options.average_decay);
  for (int64_t number = 1; number <= 3; ++number) {
    const double rate = 0.01 * static_cast<double>(number);
    const UpdateResult result = update.run(batches, number, rate);

    optimizer.zero_gradients();
    const DeviceSums made = accumulate_gradients(other, batches, options, /*seed=*/7, number);
    const auto norm = optimizer.gradient_norm().item<double>();
    optimizer.clip_gradients(norm, options.clip_norm);
    optimizer.step(rate);
    average.update(number);

    EXPECT_EQ(result.gradient_norm, norm);
    EXPECT_GT(norm, options.clip_norm);
    EXPECT_EQ(result.sums.loss, made.losses[0].item<double>());
    EXPECT_EQ(result.sums.negative_log_likelihood, made.losses[1].item<double>());
    EXPECT_EQ(result.sums.target_tokens, 2 + 4 + 1 + 6 + 3 + 5);
    NamedTensors expected = optimizer.state();
    expected.merge(average.state());
    for (const auto& [name, value] : named_parameters_of(*other)) expected["weight/" + name] = value;
    expect_same_tensors(update.state(), expected);
  }
}

TEST_F(UpdateTest, GoesOnFromItsStateBitForBit) {
  Update whole(model, options, /*seed=*/7), resumed(other, options, /*seed=*/7);
  whole.run(batches, 1, 0.01);
  resumed.restore(copied(whole.state()), "state.pt");
  whole.run(batches, 2, 0.01);
  resumed.run(batches, 2, 0.01);
  expect_same_tensors(resumed.state(), whole.state());
}

TEST_F(UpdateTest, WhatDoesNotFitIsRefused) {
  Update update(model, options, /*seed=*/7);
  for (const char* name : {"weight/output.bias", "first/output.bias", "average/output.bias"}) {
    NamedTensors state = copied(update.state());
    state.erase(name);
    EXPECT_THAT([&] { update.restore(state, "state.pt"); },
                ThrowsMessage<Error>(AllOf(StartsWith("state.pt: "), HasSubstr("output.bias"))))
        << name;
  }
}

TEST_F(UpdateTest, DivergenceLeavesTheWeightsAlone) {
  options.divergence_norm = 1e-9;
  Update update(model, options, /*seed=*/7);
  const NamedTensors before = copied(update.state());
  EXPECT_THAT([&] { update.run(batches, 12, 0.01); },
              ThrowsMessage<Error>(StartsWith("update 12: training diverged (loss ")));
  expect_same_tensors(update.state(), before);
}

TEST_F(UpdateTest, AveragesAreThereWithinAScopeAlone) {
  Update update(model, options, /*seed=*/7);
  update.run(batches, 1, 0.01);
  const NamedTensors before = copied(update.state());
  {
    const AveragedWeights averages = update.averaged_weights();
    for (const auto& [name, value] : named_parameters_of(*model))
      EXPECT_TRUE(same(value, before.at("average/" + name))) << name;
  }
  expect_same_tensors(update.state(), before);

  options.average_decay = 0;
  Update plain(other, options, /*seed=*/7);
  const NamedTensors weights = copied(plain.state());
  const AveragedWeights none = plain.averaged_weights();
  expect_same_tensors(plain.state(), weights);
}

}  // namespace
}  // namespace seq2seq::test
