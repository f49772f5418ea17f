#include <gtest/gtest.h>

#include <cmath>

#include "../support/compare.h"
#include "../support/tiny_model.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq::test {
namespace {

// The features after <s> and each token: [V, F].
Tensor features_by_word(Seq2Seq& model, const Memory& memory) {
  std::vector<Tensor> rows;
  for (int64_t word = 0; word < model->target_vocabulary_size(); ++word)
    rows.push_back(
        model->decode(memory, at::tensor({Vocabulary::begin, word}, on_device(at::kLong)).unsqueeze(0))
            .features[0][1]);
  return at::stack(rows);
}

TensorBatch copies_of_one_pair(uint64_t count) {
  std::vector<Example> examples;
  for (uint64_t i = 0; i < count; ++i) examples.push_back({.index = i, .source = {5, 6}, .target = {8}});
  return batch_of(examples);
}

TEST(ScheduledSamplingTest, WithoutSamplingItIsDecode) {
  for (const Architecture& architecture : all_architectures()) {
    if (architecture.copying || architecture.hierarchical) continue;
    Seq2Seq model = tiny_model(tiny_options(architecture));
    const TensorBatch batch = batch_of(uneven_examples());
    const Memory memory = model->encode(batch.source);
    Noise noise(1);
    const StepSequence sampled = model->decode_sampled(memory, batch.target_input, 0.0, &noise);
    const StepSequence expected = model->decode(memory, batch.target_input);
    EXPECT_TRUE(close(sampled.features, expected.features)) << name_of(architecture);
    EXPECT_TRUE(close(sampled.attention, expected.attention)) << name_of(architecture);
  }
}

TEST(ScheduledSamplingTest, AlwaysSamplingForgetsTheTarget) {
  Seq2Seq model = tiny_model(tiny_options({}));
  const TensorBatch batch = batch_of(random_examples({3, 3, 3}, {4, 4, 4}));
  const TensorBatch other = batch_of(random_examples({3, 3, 3}, {4, 4, 4}, 9, /*seed=*/2));
  const Memory memory = model->encode(batch.source);
  const auto features = [&](const Tensor& target_input, double sampling) {
    Noise noise(1);
    return model->decode_sampled(memory, target_input, sampling, &noise).features;
  };
  EXPECT_TRUE(same(features(batch.target_input, 1.0), features(other.target_input, 1.0)));
  EXPECT_FALSE(close(features(batch.target_input, 0.0), features(other.target_input, 0.0), 1e-3));
}

TEST(ScheduledSamplingTest, DrawsFollowTheModelsDistribution) {
  const at::NoGradGuard no_grad;
  Seq2Seq model = tiny_model(tiny_options({}));
  const int64_t draws = 4000;
  const TensorBatch batch = copies_of_one_pair(static_cast<uint64_t>(draws));
  const Memory memory = model->encode(batch.source),
               one = memory.select(at::zeros({1}, on_device(at::kLong)));
  Noise noise(1);
  const Tensor features = model->decode_sampled(memory, batch.target_input, 1.0, &noise).features;
  const Tensor by_word = features_by_word(model, one);
  const Tensor probabilities = model->output()->log_probabilities(features[0][0]).exp();
  Tensor counted = at::zeros({}, on_device(at::kDouble));
  for (int64_t word = 0; word < by_word.size(0); ++word) {
    const Tensor share =
        (features.select(1, 1) - by_word[word]).abs().amax(1).lt(1e-9).to(at::kDouble).mean();
    const double probability = probabilities[word].item<double>();
    EXPECT_NEAR(share.item<double>(), probability,
                5 * std::sqrt(probability * (1 - probability) / static_cast<double>(draws)));
    counted = counted + share;
  }
  EXPECT_NEAR(counted.item<double>(), 1.0, 1e-12);
}

TEST(ScheduledSamplingTest, ReplacesItsShareAndNeverPadding) {
  const at::NoGradGuard no_grad;
  Seq2Seq model = tiny_model(tiny_options({}));
  model->named_parameters()["output.bias"][5] = 100;  // the model always predicts 5
  const TensorBatch batch = copies_of_one_pair(2000);
  const Memory memory = model->encode(batch.source),
               one = memory.select(at::zeros({1}, on_device(at::kLong)));
  const Tensor by_word = features_by_word(model, one);
  const auto share_of = [&](const Tensor& target_input, int64_t word) {
    Noise noise(2);
    const Tensor features = model->decode_sampled(memory, target_input, 0.3, &noise).features.select(1, 1);
    return (features - by_word[word]).abs().amax(1).lt(1e-9).to(at::kDouble).mean().item<double>();
  };
  const double slack = 5 * std::sqrt(0.3 * 0.7 / 2000);
  EXPECT_NEAR(share_of(batch.target_input, 5), 0.3, slack);
  EXPECT_NEAR(share_of(batch.target_input, 8), 0.7, slack);
  EXPECT_EQ(share_of(batch.target_input.masked_fill(batch.target_input.eq(8), Vocabulary::padding),
                     Vocabulary::padding),
            1.0);
}

// The loop over steps must not lose dropout.
TEST(ScheduledSamplingTest, KeepsDropout) {
  const auto spread = [](double dropout, double recurrent_dropout, double word_dropout) {
    ModelOptions options = tiny_options({.layers = 2});
    options.word_dropout = word_dropout;
    auto& decoder = std::get<RnnDecoderOptions>(options.decoder);
    decoder.dropout = dropout;
    decoder.recurrent_dropout = recurrent_dropout;
    Seq2Seq model = tiny_model(options);
    const TensorBatch batch = copies_of_one_pair(50);
    const Memory memory = model->encode(batch.source);
    Noise noise(3);
    return model->decode_sampled(memory, batch.target_input, 0.0, &noise)
        .features.select(1, 1)
        .std(0)
        .mean()
        .item<double>();
  };
  EXPECT_LT(spread(0, 0, 0), 1e-12);
  EXPECT_GT(spread(0.3, 0, 0), 1e-3);
  EXPECT_GT(spread(0, 0.3, 0), 1e-3);
  EXPECT_GT(spread(0, 0, 0.3), 1e-3);
}

TEST(ScheduledSamplingTest, GradientsReachEveryParameter) {
  Seq2Seq model = tiny_model(tiny_options({}));
  const TensorBatch batch = batch_of(uneven_examples());
  Noise noise(4);
  const Memory memory = model->encode(batch.source, &noise);
  const StepSequence steps = model->decode_sampled(memory, batch.target_input, 0.5, &noise);
  model->output()->loss(steps, memory, batch.target_output, 0.1).loss.backward();
  for (const auto& parameter : model->named_parameters()) {
    ASSERT_TRUE(parameter.value().grad().defined()) << parameter.key();
    EXPECT_GT(parameter.value().grad().norm().item<double>(), 0) << parameter.key();
  }
}

TEST(ScheduledSamplingTest, NeedsNoise) {
  Seq2Seq model = tiny_model(tiny_options({}));
  const TensorBatch batch = batch_of(uneven_examples());
  EXPECT_THROW(model->decode_sampled(model->encode(batch.source), batch.target_input, 0.5, nullptr),
               c10::Error);
}

}  // namespace
}  // namespace seq2seq::test
