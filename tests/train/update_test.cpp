#include "seq2seq/train/update.h"

#include <c10/util/Exception.h>
#include <gmock/gmock.h>

#include <algorithm>

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

class ShortOfMemoryTest : public ::testing::Test {
 protected:
  /// The next `failures` backward passes end as those of a device whose memory is full.
  void fill_memory(int64_t count) {
    failures = count;
    model->source_embedding()->weight.register_hook([this](const Tensor&) {
      ++passes;
      TORCH_CHECK_WITH(OutOfMemoryError, failures-- <= 0, "CUDA out of memory");
    });
  }

  OptimizationOptions options;
  Seq2Seq model = tiny_model(tiny_options({})), other = tiny_model(tiny_options({}));
  const std::vector<Batch> batches{make_batch(random_examples({3, 1}, {2, 4})),
                                   make_batch(random_examples({5, 2, 6}, {1, 6, 3}))};
  int64_t failures = 0, passes = 0;
};

TEST_F(ShortOfMemoryTest, AnUpdateInPartsIsTheSame) {
  options.clip_norm = 0.01;
  Update whole(other, options, /*seed=*/7), update(model, options, /*seed=*/7);
  fill_memory(2);
  testing::internal::CaptureStderr();
  for (int64_t number = 1; number <= 2; ++number) {
    const UpdateResult expected = whole.run(batches, number, 0.01),
                       actual = update.run(batches, number, 0.01);
    EXPECT_NEAR(actual.sums.loss, expected.sums.loss, 1e-10 * expected.sums.loss);
    EXPECT_NEAR(actual.gradient_norm, expected.gradient_norm, 1e-10 * expected.gradient_norm);
    EXPECT_EQ(actual.sums.target_tokens, expected.sums.target_tokens);
    const NamedTensors weights = named_parameters_of(*model);
    for (const auto& [name, value] : named_parameters_of(*other)) {
      EXPECT_TRUE(close(weights.at(name).grad(), value.grad(), 1e-9)) << name;
      EXPECT_TRUE(close(weights.at(name), value, 1e-7)) << name;
    }
    if (number == 1) passes = 0;
  }
  EXPECT_EQ(passes, 5) << "the second update makes parts at once";
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log,
              HasSubstr("update 1: not enough memory for a batch of 3 sentence pairs; from here on, batches "
                        "of more than 21 tokens, padding included, are computed in parts\n"));
  EXPECT_THAT(log, HasSubstr("update 1: not enough memory for a batch of 2 sentence pairs; "));
  EXPECT_EQ(std::ranges::count(log, '\n'), 2);
}

TEST_F(ShortOfMemoryTest, APairThatDoesNotFitEndsTheRun) {
  Update update(model, options, /*seed=*/7);
  const NamedTensors before = copied(update.state());
  fill_memory(1000);
  testing::internal::CaptureStderr();
  EXPECT_THAT([&] { update.run(batches, 12, 0.01); },
              ThrowsMessage<Error>(StartsWith("update 12: not enough memory for one sentence pair of ")));
  testing::internal::GetCapturedStderr();
  expect_same_tensors(update.state(), before);
}

TEST_F(ShortOfMemoryTest, WhereBitsMatterNoBatchIsSplit) {
  options.deterministic = true;
  Update update(model, options, /*seed=*/7);
  fill_memory(1);
  EXPECT_THAT([&] { update.run(batches, 12, 0.01); },
              ThrowsMessage<Error>(AllOf(StartsWith("update 12: not enough memory, and --deterministic lets"),
                                         HasSubstr("; lower --batch-size"))));
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
