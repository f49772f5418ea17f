// The effect of dropout on the states and features of a whole model.
#include <gtest/gtest.h>

#include <cmath>

#include "../support/compare.h"
#include "../support/tiny_model.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq::test {
namespace {

constexpr double p = 0.5;

// Wide Elman cells that copy their state, h_t = tanh(0.3 + h_{t-1}), and ignore their input.
Seq2Seq copying_model(double dropout, double recurrent_dropout) {
  ModelOptions options = tiny_options({.cell = Cell::rnn,
                                       .attention = NoAttention{},
                                       .input_feeding = false,
                                       .layers = 1,
                                       .bidirectional = false});
  auto& encoder = std::get<RnnEncoderOptions>(options.encoder);
  auto& decoder = std::get<RnnDecoderOptions>(options.decoder);
  encoder.size = decoder.size = 60;
  encoder.dropout = decoder.dropout = dropout;
  encoder.recurrent_dropout = decoder.recurrent_dropout = recurrent_dropout;
  Seq2Seq model = tiny_model(options);
  const at::NoGradGuard no_grad;
  for (auto& parameter : model->named_parameters()) {
    Tensor& value = parameter.value();
    if (parameter.key().ends_with("weight_ih")) value.zero_();
    if (parameter.key().ends_with("bias_ih")) value.fill_(0.3);
    if (parameter.key().ends_with("bias_hh")) value.zero_();
    if (parameter.key().ends_with("weight_hh")) value.copy_(at::eye(60, on_device(at::kDouble)));
    if (parameter.key() == "decoder.bridge.weight") value.zero_();
    if (parameter.key() == "decoder.bridge.bias") value.fill_(0.5);
  }
  return model;
}

TensorBatch long_batch() {
  return batch_of(random_examples({7, 7, 7, 7}, {7, 7, 7, 7}));
}

// A dropped unit stays at tanh(0.3); a kept one follows h_t = tanh(0.3 + h_{t-1} / (1-p)).
void expect_one_mask_for_all_steps(const Tensor& states, double initial) {
  const Tensor dropped = (states.select(1, 1) - std::tanh(0.3)).abs() < 1e-12;  // [B, H]
  const double share = dropped.to(at::kDouble).mean().item<double>();
  EXPECT_NEAR(share, p, 5 * std::sqrt(p * (1 - p) / static_cast<double>(dropped.numel())));
  Tensor expected = at::full_like(dropped, initial, at::kDouble);
  for (int64_t t = 0; t < states.size(1); ++t) {
    expected = (0.3 + expected * dropped.logical_not() / (1 - p)).tanh();
    EXPECT_TRUE(close(states.select(1, t), expected, 1e-6)) << "step " << t;
  }
}

TEST(ModelDropoutTest, RecurrentDropoutKeepsItsMaskOverTime) {
  Seq2Seq model = copying_model(0, p);
  const TensorBatch batch = long_batch();
  Noise noise(3);
  const Memory memory = model->encode(batch.source, &noise);
  expect_one_mask_for_all_steps(memory.states(), 0.0);
  expect_one_mask_for_all_steps(model->decode(memory, batch.target_input, &noise).features, std::tanh(0.5));
  // Another micro-batch has other masks.
  Noise other(4);
  EXPECT_FALSE(close(model->encode(batch.source, &other).states(), memory.states(), 1e-3));
}

TEST(ModelDropoutTest, RegularDropoutDrawsANewMaskForEveryStep) {
  Seq2Seq model = copying_model(p, 0);
  const TensorBatch batch = long_batch();
  Noise noise(3);
  const Memory memory = model->encode(batch.source, &noise);
  const Tensor features = model->decode(memory, batch.target_input, &noise).features;  // [B, T, H]
  const Tensor dropped = features.eq(0);
  const double slack = 5 * std::sqrt(p * (1 - p) / static_cast<double>(dropped.numel()));
  EXPECT_NEAR(dropped.to(at::kDouble).mean().item<double>(), p, slack);
  const Tensor again = dropped.slice(1, 1).eq(dropped.slice(1, 0, -1));
  EXPECT_NEAR(again.to(at::kDouble).mean().item<double>(), p, 1.2 * slack);
  const Tensor whole = model->decode(memory, batch.target_input).features;
  EXPECT_TRUE(close(features, whole * dropped.logical_not() / (1 - p), 1e-6));
}

TEST(ModelDropoutTest, NothingIsDroppedWithoutNoise) {
  ModelOptions options = tiny_options({.layers = 2});
  Seq2Seq plain = tiny_model(options);
  options.word_dropout = 0.9;
  for (double* rate : {&std::get<RnnEncoderOptions>(options.encoder).dropout,
                       &std::get<RnnEncoderOptions>(options.encoder).recurrent_dropout,
                       &std::get<RnnDecoderOptions>(options.decoder).dropout,
                       &std::get<RnnDecoderOptions>(options.decoder).recurrent_dropout})
    *rate = 0.9;
  Seq2Seq dropping = tiny_model(options);
  const TensorBatch batch = batch_of(uneven_examples());
  EXPECT_TRUE(same(log_probabilities(dropping, batch), log_probabilities(plain, batch)));
  Noise noise(1);
  EXPECT_FALSE(close(log_probabilities(dropping, batch, &noise), log_probabilities(plain, batch), 1e-3));
  // The same seed yields the same values.
  Noise first(2), second(2);
  EXPECT_TRUE(same(log_probabilities(dropping, batch, &first), log_probabilities(dropping, batch, &second)));
}

ModelOptions transformer_options() {
  Architecture architecture{.copying = true};
  architecture.transformer_encoder = architecture.transformer_decoder = true;
  return tiny_options(architecture);
}

TEST(ModelDropoutTest, EachRateOfATransformerDropsSomethingOfItsOwn) {
  const TensorBatch batch = batch_of(uneven_examples());
  Seq2Seq whole = tiny_model(transformer_options());
  const Tensor expected = log_probabilities(whole, batch);
  std::vector<Tensor> dropped;
  for (const bool in_encoder : {true, false})
    for (double TransformerOptions::*rate :
         {&TransformerOptions::dropout, &TransformerOptions::attention_dropout,
          &TransformerOptions::activation_dropout}) {
      ModelOptions options = transformer_options();
      std::get<TransformerOptions>(options.decoder).*rate = in_encoder ? 0.0 : 0.5;
      std::get<TransformerOptions>(options.encoder).*rate = in_encoder ? 0.5 : 0.0;
      Seq2Seq model = tiny_model(options);
      EXPECT_TRUE(same(log_probabilities(model, batch), expected));
      Noise noise(1);
      dropped.push_back(log_probabilities(model, batch, &noise));
      EXPECT_FALSE(close(dropped.back(), expected, 1e-3));
      for (size_t i = 0; i + 1 < dropped.size(); ++i)
        EXPECT_FALSE(close(dropped.back(), dropped[i], 1e-6)) << i;
    }
}

// In training, too, the weights for copying are a distribution.
TEST(ModelDropoutTest, TheCopyHeadShowsItsWeightsBeforeDropout) {
  ModelOptions options = transformer_options();
  std::get<TransformerOptions>(options.decoder).attention_dropout = 0.5;
  Seq2Seq model = tiny_model(options);
  const TensorBatch batch = batch_of(uneven_examples());
  Noise noise(1);
  const Tensor attention = model->decode(model->encode(batch.source), batch.target_input, &noise).attention;
  EXPECT_TRUE(close(attention.sum(2), at::ones({3, 5}, at::kDouble)));
}

ModelOptions word_dropping(double share) {
  ModelOptions options = tiny_options({.attention = NoAttention{}, .input_feeding = false});
  options.word_dropout = share;
  return options;
}

// Replacing any tokens of sentences of <unk> changes nothing, unless </s>, <s> or padding are replaced.
TEST(ModelDropoutTest, WordDropoutReplacesWordsOnly) {
  Seq2Seq model = tiny_model(word_dropping(0.9));
  std::vector<Example> examples;
  for (uint64_t i = 0; i < 40; ++i)
    examples.push_back({.index = i,
                        .source = std::vector<int64_t>(i % 5, Vocabulary::unknown),
                        .target = std::vector<int64_t>(i % 4, Vocabulary::unknown)});
  const TensorBatch batch = batch_of(examples);
  Noise noise(5);
  EXPECT_TRUE(same(log_probabilities(model, batch, &noise), log_probabilities(model, batch)));
}

TEST(ModelDropoutTest, WordDropoutReplacesItsShareOnBothSides) {
  constexpr int64_t sentences = 2000;
  constexpr double share = 0.2;
  Seq2Seq model = tiny_model(word_dropping(share));
  std::vector<Example> examples;
  for (uint64_t i = 0; i < sentences; ++i) examples.push_back({.index = i, .source = {7}, .target = {6}});
  const TensorBatch batch = batch_of(examples);
  const TensorBatch unknown =
      batch_of({{.index = 0, .source = {Vocabulary::unknown}, .target = {Vocabulary::unknown}}});
  const auto replaced = [](const Tensor& states, const Tensor& if_replaced) {
    return (states - if_replaced).abs().amax(1).lt(1e-12).to(at::kDouble).mean().item<double>();
  };
  const double slack = 5 * std::sqrt(share * (1 - share) / sentences);
  Noise noise(6);
  const Memory memory = model->encode(batch.source, &noise);
  EXPECT_NEAR(replaced(memory.summary(), model->encode(unknown.source).summary()), share, slack);
  // From the same memory, so that only the target side differs.
  const Memory clean = model->encode(batch.source), one = clean.select(at::zeros({1}, on_device(at::kLong)));
  const Tensor features = model->decode(clean, batch.target_input, &noise).features.select(1, 1);
  const Tensor if_replaced = model->decode(one, unknown.target_input).features.select(1, 1);
  EXPECT_NEAR(replaced(features, if_replaced), share, slack);
}

}  // namespace
}  // namespace seq2seq::test
