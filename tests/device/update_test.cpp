// A whole update on a device: the numbers of the CPU, and nearly nothing that waits for the device.
#include <gtest/gtest.h>

#include "../support/compare.h"
#include "../support/tiny_model.h"
#include "seq2seq/model/device.h"
#include "seq2seq/train/update.h"

namespace seq2seq::test {
namespace {

constexpr double dropout = 0.3;

ModelOptions with_dropout(const Architecture& architecture) {
  ModelOptions options = tiny_options(architecture);
  const auto set = [](auto& part) {
    part.dropout = dropout;
    if constexpr (requires { part.recurrent_dropout; }) part.recurrent_dropout = dropout;
    if constexpr (requires { part.attention_dropout; })
      part.attention_dropout = part.activation_dropout = dropout;
  };
  std::visit(set, options.encoder);
  std::visit(set, options.decoder);
  options.word_dropout = dropout;
  return options;
}

class DeviceUpdateTest : public ::testing::TestWithParam<Architecture> {
 protected:
  DeviceUpdateTest() {
    move_to(*of_cpu, at::kCPU);
    options.label_smoothing = 0.1;
    options.clip_norm = 0.05;
    if (of_cpu->has_attention()) options.coverage_loss = 0.7;
  }

  void expect_the_same_update() {
    Update expected_update(of_cpu, options, /*seed=*/7), update(model, options, /*seed=*/7);
    for (int64_t number = 1; number <= 2; ++number) {
      const UpdateResult expected = expected_update.run(batches, number, /*learning_rate=*/0.01);
      const int64_t waited = synchronisations(), copied = copies_to_device();
      const UpdateResult actual = update.run(batches, number, /*learning_rate=*/0.01);
      EXPECT_LE(synchronisations() - waited, 1);
      if (on_shadow_device()) {
        EXPECT_EQ(copies_to_device() - copied, std::ssize(batches));
      }

      EXPECT_NEAR(actual.sums.loss, expected.sums.loss, 1e-9 * expected.sums.loss);
      EXPECT_NEAR(actual.sums.negative_log_likelihood, expected.sums.negative_log_likelihood,
                  1e-9 * expected.sums.loss);
      EXPECT_NEAR(actual.sums.coverage_loss, expected.sums.coverage_loss, 1e-9);
      EXPECT_EQ(actual.sums.target_tokens, expected.sums.target_tokens);
      EXPECT_NEAR(actual.gradient_norm, expected.gradient_norm, 1e-9 * expected.gradient_norm);
      EXPECT_GT(expected.gradient_norm, options.clip_norm);
      const auto parameters = model->named_parameters();
      for (const auto& parameter : of_cpu->named_parameters()) {
        const Tensor& there = parameters[parameter.key()];
        EXPECT_EQ(there.device(), test_device());
        EXPECT_TRUE(close(there.grad(), parameter.value().grad(), 1e-9)) << parameter.key();
        EXPECT_TRUE(close(there, parameter.value(), 1e-8)) << parameter.key();
      }
    }
  }

  const ModelOptions model_options = with_dropout(GetParam());
  Seq2Seq of_cpu = tiny_model(model_options), model = tiny_model(model_options);
  OptimizationOptions options;
  const std::vector<Batch> batches{make_batch(examples_for(GetParam())),
                                   make_batch(random_examples({5, 2}, {3, 4}))};
};

TEST_P(DeviceUpdateTest, EqualsTheCpusAndWaitsOnce) {
  expect_the_same_update();
}

TEST_P(DeviceUpdateTest, EqualsTheCpusWithSampledWords) {
  options.scheduled_sampling = 0.4;
  expect_the_same_update();
}

INSTANTIATE_TEST_SUITE_P(Architectures, DeviceUpdateTest, ::testing::ValuesIn(all_architectures()),
                         [](const auto& test) { return name_of(test.param); });

}  // namespace
}  // namespace seq2seq::test
