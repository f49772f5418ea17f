#include "seq2seq/model/output.h"

#include <gtest/gtest.h>

#include <cmath>

#include "../support/compare.h"
#include "../support/tiny_model.h"

namespace seq2seq::test {
namespace {

constexpr int64_t target_vocabulary = 9;

Tensor target_ids(std::initializer_list<int64_t> values) {
  return at::tensor(values, on_device(at::kLong));
}

Output filled(int64_t feature_size, const Tensor& tied = {}) {
  Output output(feature_size, target_vocabulary, tied);
  output->to(at::kDouble);
  move_to_test_device(*output);
  fill_parameters(*output, 0.8);
  return output;
}

/// Without copying, nothing is read from it.
Memory no_memory() {
  return {Tensor(), Tensor(), Tensor()};
}

TEST(OutputTest, LogProbabilitiesAreNormalised) {
  Output output = filled(5);
  const auto weights = output->named_parameters();
  const Tensor features = cosine({4, 5}, 700, 2.0);
  const Tensor logits = features.matmul(weights["weight"].t()) + weights["bias"];
  const Tensor expected = logits - logits.exp().sum(1, true).log();
  EXPECT_TRUE(close(output->log_probabilities(features), expected));
  EXPECT_TRUE(
      close(output->log_probabilities(features.view({2, 2, 5})), expected.view({2, 2, target_vocabulary})));
}

TEST(OutputTest, PaddingDoesNotCount) {
  Output output = filled(5);
  const Tensor features = cosine_leaf({2, 3, 5}, 700), targets = target_ids({4, 3, 0, 8, 0, 0}).view({2, 3});
  const LossSums sums = output->loss({features, {}, {}}, no_memory(), targets, 0.1);
  const Tensor log_probabilities = output->log_probabilities(features);
  Tensor nll = at::zeros({}, on_device(at::kDouble)), mean = at::zeros({}, on_device(at::kDouble));
  for (const auto& [b, t] : {std::pair(0, 0), std::pair(0, 1), std::pair(1, 0)}) {
    nll = nll - log_probabilities[b][t][targets[b][t].item<int64_t>()];
    mean = mean - log_probabilities[b][t].mean();
  }
  EXPECT_TRUE(close(sums.loss, 0.9 * nll + 0.1 * mean));
  EXPECT_TRUE(close(sums.negative_log_likelihood, nll));
  sums.loss.backward();
  EXPECT_TRUE(same(features.grad().abs().sum(2).gt(0), targets.ne(0)));
}

// (1 - e) (-log p_mix(target)) + e mean_v (-log P_vocab(v)), sentence by sentence and token by token.
TEST(OutputTest, TheLossOfTheMixtureIsSmoothedOverTheVocabulary) {
  const Architecture architecture{.copying = true};
  Seq2Seq model = tiny_model(tiny_options(architecture));
  const std::vector<Example> examples = examples_for(architecture);
  const TensorBatch batch = batch_of(examples);
  const Memory memory = model->encode(batch.source);
  const StepSequence steps = model->decode(memory, batch.target_input);
  const Tensor mixed = log_probabilities_of(model, memory, steps);
  const Tensor words = model->output()->log_probabilities(steps.features);
  double nll = 0, mean = 0;
  for (size_t b = 0; b < examples.size(); ++b)
    for (size_t t = 0; t <= examples[b].target.size(); ++t) {
      const auto row = static_cast<int64_t>(b), step = static_cast<int64_t>(t);
      const int64_t target = t < examples[b].target.size() ? examples[b].target[t] : Vocabulary::end;
      // A token in neither the vocabulary nor this source has probability 0: its loss is bounded.
      nll -= std::max(mixed[row][step][target].item<double>(), std::log(1e-30));
      mean -= words[row][step].mean().item<double>();
    }
  for (const double smoothing : {0.0, 0.1, 0.5}) {
    const LossSums sums = model->output()->loss(steps, memory, batch.target_output, smoothing);
    EXPECT_NEAR(sums.loss.item<double>(), (1 - smoothing) * nll + smoothing * mean, 1e-9) << smoothing;
    EXPECT_NEAR(sums.negative_log_likelihood.item<double>(), nll, 1e-9) << smoothing;
  }
}

TEST(OutputTest, CorrectWordsAreTheLikeliestOnes) {
  Output output = filled(5);
  const Tensor features = cosine({2, 3, 5}, 700);
  const Tensor best = output->log_probabilities(features).argmax(2);
  Tensor targets = best.clone();
  targets[0][1] = (best[0][1] + 1).remainder(target_vocabulary);
  const Tensor expected = targets.eq(best).logical_and(targets.ne(0));
  EXPECT_TRUE(same(output->correct({features, {}, {}}, no_memory(), targets), expected));
  EXPECT_FALSE(expected[0][1].item<bool>());
  EXPECT_GE(expected.sum().item<int64_t>(), 3);
  EXPECT_TRUE(same(output->correct({features, {}, {}}, no_memory(), at::zeros_like(targets)),
                   at::zeros({2, 3}, on_device(at::kBool))));
}

TEST(OutputTest, ATiedMatrixOfAnotherWidthIsReachedByAProjection) {
  const Tensor tied = cosine_leaf({target_vocabulary, 4}, 300);
  Output narrow = filled(5, tied), equal = filled(4, tied);
  EXPECT_EQ(equal->named_parameters().keys(), std::vector<std::string>{"bias"});
  const auto weights = narrow->named_parameters();
  EXPECT_EQ(weights.size(), 2U);
  const Tensor features = cosine({3, 5}, 700);
  const Tensor logits = features.matmul(weights["reduce.weight"].t()).matmul(tied.t()) + weights["bias"];
  EXPECT_TRUE(close(narrow->log_probabilities(features), logits.log_softmax(1)));
}

ModelOptions sharing(EmbeddingSharing sharing) {
  ModelOptions options = tiny_options({});
  options.embedding.sharing = sharing;
  options.embedding.size = 5;  // the decoder's width: no projection in between
  return options;
}

TEST(SharingTest, SharedMatricesAreCountedOnce) {
  const int64_t apart = parameter_count(*tiny_model(sharing(EmbeddingSharing::none)));
  const int64_t matrix = target_vocabulary * 5;
  EXPECT_EQ(parameter_count(*tiny_model(sharing(EmbeddingSharing::source_target))), apart - matrix);
  EXPECT_EQ(parameter_count(*tiny_model(sharing(EmbeddingSharing::target_output))), apart - matrix);
  EXPECT_EQ(parameter_count(*tiny_model(sharing(EmbeddingSharing::all))), apart - 2 * matrix);
}

// The gradient of a shared matrix is the sum of the gradients of its uses in a model with separate matrices.
TEST(SharingTest, SharedMatricesCollectTheGradientsOfTheirUses) {
  const TensorBatch batch = batch_of(uneven_examples());
  for (const auto kind :
       {EmbeddingSharing::source_target, EmbeddingSharing::target_output, EmbeddingSharing::all}) {
    Seq2Seq shared = tiny_model(sharing(kind)), apart = tiny_model(sharing(EmbeddingSharing::none));
    const bool with_source = kind != EmbeddingSharing::target_output,
               with_output = kind != EmbeddingSharing::source_target;
    auto values = shared->named_parameters(), copies = apart->named_parameters();
    {
      const at::NoGradGuard no_grad;
      for (auto& copy : copies)
        if (values.contains(copy.key())) copy.value().copy_(values[copy.key()]);
      if (with_source) copies["target_embedding.weight"].copy_(shared->target_embedding()->weight);
      if (with_output) copies["output.weight"].copy_(shared->target_embedding()->weight);
    }
    const Tensor loss = loss_of(shared, batch, 0.1).loss, expected_loss = loss_of(apart, batch, 0.1).loss;
    EXPECT_TRUE(close(loss, expected_loss));
    loss.backward();
    expected_loss.backward();
    Tensor expected = copies["target_embedding.weight"].grad().clone();
    if (with_source) expected += copies["source_embedding.weight"].grad();
    if (with_output) expected += copies["output.weight"].grad();
    EXPECT_TRUE(close(shared->target_embedding()->weight.grad(), expected)) << static_cast<int>(kind);
    for (const char* name : {"source_embedding.weight", "target_embedding.weight", "output.weight"})
      EXPECT_GT(copies[name].grad().norm().item<double>(), 1e-3) << name;
  }
}

TEST(SharingTest, SharedInputsNeedOneVocabulary) {
  EXPECT_THROW(Seq2Seq(sharing(EmbeddingSharing::all), 9, 8), c10::Error);
  EXPECT_NO_THROW(Seq2Seq(sharing(EmbeddingSharing::target_output), 9, 8));
}

TEST(SharingTest, AFrozenMatrixGetsNoGradientAndStopsNoOther) {
  Seq2Seq model = tiny_model(sharing(EmbeddingSharing::all));
  model->target_embedding()->weight.set_requires_grad(false);
  loss_of(model, batch_of(uneven_examples()), 0.1).loss.backward();
  for (const auto& parameter : model->named_parameters())
    EXPECT_EQ(parameter.value().grad().defined(), parameter.value().requires_grad()) << parameter.key();
}

}  // namespace
}  // namespace seq2seq::test
