#include <gtest/gtest.h>

#include <span>

#include "../support/compare.h"
#include "../support/tiny_model.h"
#include "seq2seq/train/update.h"

namespace seq2seq::test {
namespace {

class AccumulationTest : public ::testing::Test {
 protected:
  AccumulationTest() { options.label_smoothing = 0.1; }

  ModelOptions with_dropout(double p) const {
    ModelOptions model = tiny_options({});
    std::get<RnnEncoderOptions>(model.encoder).dropout = p;
    std::get<RnnDecoderOptions>(model.decoder).dropout = p;
    return model;
  }

  /// The gradients of all parameters after one update, concatenated.
  Tensor gradients(const ModelOptions& model_options, const std::vector<Batch>& batches, int64_t update = 1,
                   UpdateSums* sums = nullptr) {
    Seq2Seq model = tiny_model(model_options);
    const DeviceSums made = accumulate_gradients(model, batches, options, /*seed=*/7, update);
    if (sums != nullptr) *sums = made.on_host(made.losses.cpu());
    std::vector<Tensor> parts;
    for (const auto& parameter : model->parameters()) parts.push_back(parameter.grad().reshape(-1));
    return at::cat(parts);
  }

  OptimizationOptions options;
  std::vector<Example> examples = random_examples({3, 1, 5, 2, 6}, {2, 4, 1, 6, 3});
  Batch whole = make_batch(examples);
  Batch first = make_batch(std::span(examples).first(2)), second = make_batch(std::span(examples).subspan(2));
};

TEST_F(AccumulationTest, MicroBatchesGiveTheGradientsOfOneBatch) {
  UpdateSums one, two;
  const Tensor expected = gradients(with_dropout(0), {whole}, 1, &one);
  const Tensor actual = gradients(with_dropout(0), {first, second}, 1, &two);
  EXPECT_LT((actual - expected).norm().item<double>(), 1e-10 * expected.norm().item<double>());
  EXPECT_GT(expected.norm().item<double>(), 0.01);
  EXPECT_NEAR(one.loss, two.loss, 1e-10 * one.loss);
  EXPECT_NEAR(one.negative_log_likelihood, two.negative_log_likelihood, 1e-10 * one.loss);
  EXPECT_EQ(two.target_tokens, 2 + 4 + 1 + 6 + 3 + 5);
  EXPECT_EQ(two.source_tokens, 3 + 1 + 5 + 2 + 6 + 5);
}

TEST_F(AccumulationTest, TheLossIsThatOfTheModel) {
  Seq2Seq model = tiny_model(with_dropout(0));
  const LossSums expected = loss_of(model, batch_of(examples), 0.1);
  (expected.loss / 21).backward();
  std::vector<Tensor> parts;
  for (const auto& parameter : model->parameters()) parts.push_back(parameter.grad().reshape(-1));
  UpdateSums sums;
  EXPECT_TRUE(close(gradients(with_dropout(0), {whole}, 1, &sums), at::cat(parts), 1e-12));
  EXPECT_NEAR(sums.loss, expected.loss.item<double>(), 1e-10);
  EXPECT_NEAR(sums.negative_log_likelihood, expected.negative_log_likelihood.item<double>(), 1e-10);
}

// The loss of See et al. (2017, eq. 13), with explicit sums, for two weights.
TEST_F(AccumulationTest, TheCoverageLossCountsByItsWeightFromItsStartOn) {
  ModelOptions covered = tiny_options({.coverage = LinearCoverage{}, .copying = true});
  Seq2Seq model = tiny_model(covered);
  const TensorBatch batch = batch_of(examples);
  const auto gradients_of = [&](const Tensor& loss) {
    model->zero_grad();
    (loss / 21).backward();
    std::vector<Tensor> parts;
    for (const auto& parameter : model->parameters())
      parts.push_back(
          (parameter.grad().defined() ? parameter.grad() : at::zeros_like(parameter)).reshape(-1).clone());
    return at::cat(parts);
  };
  const Tensor plain = gradients_of(loss_of(model, batch, 0.1).loss);
  const Memory memory = model->encode(batch.source);
  const Tensor attention = model->decode(memory, batch.target_input).attention;
  Tensor penalty = at::zeros({}, on_device(at::kDouble));
  for (int64_t b = 0; b < attention.size(0); ++b) {
    Tensor before = at::zeros({attention.size(2)}, on_device(at::kDouble));
    for (int64_t t = 0; t <= std::ssize(examples[static_cast<size_t>(b)].target); ++t) {
      penalty = penalty + at::min(attention[b][t], before).sum();
      before = before + attention[b][t];
    }
  }
  const double expected_penalty = penalty.item<double>();
  const Tensor penalised = gradients_of(penalty);
  ASSERT_GT(penalised.norm().item<double>(), 1e-3);

  options.coverage_loss_start = 3;
  for (const double weight : {0.5, 2.0}) {
    options.coverage_loss = weight;
    UpdateSums sums;
    EXPECT_TRUE(close(gradients(covered, {whole}, 4, &sums), plain + weight * penalised, 1e-10)) << weight;
    EXPECT_NEAR(sums.coverage_loss, expected_penalty, 1e-10);
    EXPECT_TRUE(close(gradients(covered, {whole}, 3), plain, 1e-12)) << "before its start";
  }
}

TEST_F(AccumulationTest, DropoutIsDrawnForEachUpdate) {
  const ModelOptions model = with_dropout(0.5);
  EXPECT_TRUE(same(gradients(model, {first, second}, 3), gradients(model, {first, second}, 3)));
  EXPECT_FALSE(close(gradients(model, {first, second}, 3), gradients(model, {first, second}, 4), 1e-3));
}

TEST_F(AccumulationTest, DropoutIsDrawnForEachMicroBatch) {
  // The same batch twice has the gradients of one, except for dropout.
  EXPECT_TRUE(close(gradients(with_dropout(0), {first, first}), gradients(with_dropout(0), {first}), 1e-12));
  EXPECT_FALSE(
      close(gradients(with_dropout(0.5), {first, first}), gradients(with_dropout(0.5), {first}), 1e-3));
}

TEST_F(AccumulationTest, ScheduledSamplingGrowsUntilItsUpdate) {
  const Tensor plain = gradients(with_dropout(0), {whole});
  options.scheduled_sampling = 1.0;
  options.scheduled_sampling_updates = 1'000'000'000;
  EXPECT_TRUE(close(gradients(with_dropout(0), {whole}, 1), plain, 1e-9));
  const Tensor full = gradients(with_dropout(0), {whole}, 1'000'000'000);
  EXPECT_FALSE(close(full, plain, 1e-3));
  options.scheduled_sampling_updates = 0;  // from the beginning
  EXPECT_TRUE(same(gradients(with_dropout(0), {whole}, 1'000'000'000), full));
}

}  // namespace
}  // namespace seq2seq::test
