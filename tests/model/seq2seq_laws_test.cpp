// Invariants of every architecture: step = forward; padding, other hypotheses and the rest of the batch
// change nothing for a sentence.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "../support/compare.h"
#include "../support/tiny_model.h"
#include "seq2seq/core/error.h"
#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq::test {
namespace {

Tensor ids(std::initializer_list<int64_t> values) {
  return at::tensor(values, on_device(at::kLong));
}

class Seq2SeqLaws : public ::testing::TestWithParam<Architecture> {
 protected:
  const at::NoGradGuard no_grad;
  Seq2Seq model = tiny_model(tiny_options(GetParam()));
  std::vector<Example> examples = examples_for(GetParam());
  TensorBatch batch = batch_of(examples);
  Memory memory = model->encode(batch.source);

  // Log-probabilities [N, T, V] and attention [N, T, S] of target_input [N, T] by the step loop of search.
  std::pair<Tensor, Tensor> stepped(const Tensor& target_input, State state) {
    std::vector<Tensor> log_probabilities, attention;
    for (const Tensor& tokens : target_input.unbind(1)) {
      Step step = model->advance(memory, tokens, state);
      log_probabilities.push_back(model->output()->log_probabilities(step, memory).clamp_min(-700));
      attention.push_back(step.attention);
      state = step.next;
    }
    return {at::stack(log_probabilities, 1), at::stack(attention, 1)};
  }

  std::pair<Tensor, Tensor> forward(const Tensor& target_input) {
    const StepSequence steps = model->decode(memory, target_input);
    return {log_probabilities_of(model, memory, steps), steps.attention};
  }
};

TEST_P(Seq2SeqLaws, StepEqualsForward) {
  const auto [expected, expected_attention] = forward(batch.target_input);
  const auto [actual, attention] = stepped(batch.target_input, model->start(memory));
  EXPECT_TRUE(close(actual, expected));
  EXPECT_TRUE(close(attention, expected_attention));
  EXPECT_TRUE(close(actual.exp().sum(2), at::ones({3, 5}, at::kDouble)));
  // Different tokens yield different predictions; the checks above would pass if input were ignored.
  const Tensor other = batch.target_input.masked_fill(batch.target_input.eq(Vocabulary::begin), 8);
  EXPECT_FALSE(close(forward(other).first, expected, 1e-3));
}

TEST_P(Seq2SeqLaws, HypothesesOfASentenceDoNotMeet) {
  // Two hypotheses per sentence, the second with other tokens.
  const Tensor second = batch.target_input.flip(0);
  const Tensor both = at::stack({batch.target_input, second}, 1).view({6, -1});  // [B * K, T]
  const State state = model->start(memory).select(ids({0, 0, 1, 1, 2, 2}));
  const auto [log_probabilities, attention] = stepped(both, state);
  const auto [first_expected, first_attention] = forward(batch.target_input);
  const auto [second_expected, second_attention] = forward(second);
  EXPECT_TRUE(close(log_probabilities, at::stack({first_expected, second_expected}, 1).flatten(0, 1)));
  EXPECT_TRUE(close(attention, at::stack({first_attention, second_attention}, 1).flatten(0, 1)));
}

TEST_P(Seq2SeqLaws, FinishedSentencesLeaveAndTheOthersGoOn) {
  const Tensor expected = forward(batch.target_input).first;
  State state = model->start(memory);
  for (int64_t t = 0; t < 2; ++t) state = model->advance(memory, batch.target_input.select(1, t), state).next;
  const Tensor rows = ids({2, 0});
  memory = memory.select(rows);
  const Tensor rest = batch.target_input.index_select(0, rows).slice(1, 2);
  EXPECT_TRUE(close(stepped(rest, state.select(rows)).first, expected.index_select(0, rows).slice(1, 2)));
}

TEST_P(Seq2SeqLaws, BatchMatesChangeNothing) {
  const Tensor together = log_probabilities(model, batch);
  const Tensor attention = forward(batch.target_input).second;
  for (size_t i = 0; i < examples.size(); ++i) {
    const TensorBatch alone = batch_of({examples[i]});
    const auto row = static_cast<int64_t>(i);
    const int64_t target_length = alone.target_input.size(1), source_length = alone.source.ids.size(1);
    const Tensor its_own = log_probabilities(model, alone)[0],
                 here = together[row].narrow(0, 0, target_length);
    EXPECT_TRUE(close(its_own, here.narrow(1, 0, its_own.size(1)))) << i;
    // Slots after the end of the sentence cannot be output.
    EXPECT_TRUE(here.narrow(1, its_own.size(1), here.size(1) - its_own.size(1)).eq(-700).all().item<bool>())
        << i;
    const Memory its_memory = model->encode(alone.source);
    EXPECT_TRUE(close(its_memory.states()[0], memory.states()[row].narrow(0, 0, source_length))) << i;
    EXPECT_TRUE(close(its_memory.summary()[0], memory.summary()[row])) << i;
    EXPECT_TRUE(close(model->decode(its_memory, alone.target_input).attention[0],
                      attention[row].narrow(0, 0, target_length).narrow(1, 0, source_length)))
        << i;
  }
}

TEST_P(Seq2SeqLaws, TheOrderOfTheBatchChangesNothing) {
  const TensorBatch shuffled = batch_of({examples[2], examples[0], examples[1]});
  EXPECT_TRUE(close(log_probabilities(model, shuffled),
                    log_probabilities(model, batch).index_select(0, ids({2, 0, 1}))));
}

TEST_P(Seq2SeqLaws, PaddingChangesNothing) {
  const auto widened = [](const Tensor& x, int64_t columns) {
    return at::constant_pad_nd(x, {0, columns}, Vocabulary::padding);
  };
  const TensorBatch padded{{widened(batch.source.ids, 3), batch.source.lengths},
                           widened(batch.target_input, 2),
                           widened(batch.target_output, 2)};
  const Tensor before = log_probabilities(model, batch);
  EXPECT_TRUE(close(log_probabilities(model, padded).narrow(1, 0, 5).narrow(2, 0, before.size(2)), before));
  const LossSums expected = loss_of(model, batch, 0.1), actual = loss_of(model, padded, 0.1);
  EXPECT_TRUE(close(actual.loss, expected.loss));
  EXPECT_TRUE(close(actual.negative_log_likelihood, expected.negative_log_likelihood));
}

TEST_P(Seq2SeqLaws, AttentionIsADistributionOverTheSentence) {
  const Tensor attention = forward(batch.target_input).second;
  ASSERT_EQ(attention.sizes(), at::IntArrayRef({3, 5, 7}));
  EXPECT_EQ(model->has_attention(), GetParam().transformer_decoder || !is<NoAttention>(GetParam().attention));
  if (!GetParam().transformer_decoder && is<LocalAttention>(GetParam().attention)) {
    // A distribution times a Gaussian that is at most 1, and exp(-2) at the ends of the window.
    EXPECT_TRUE(attention.sum(2).le(1 + 1e-12).all().item<bool>());
    EXPECT_TRUE(attention.sum(2).ge(std::exp(-2.0)).all().item<bool>());
  } else {
    const double total = model->has_attention() ? 1.0 : 0.0;
    EXPECT_TRUE(close(attention.sum(2), at::full({3, 5}, total, at::kDouble)));
  }
  EXPECT_TRUE(attention.masked_select(memory.mask().logical_not().unsqueeze(1)).eq(0).all().item<bool>());
  EXPECT_TRUE(
      memory.states().masked_select(memory.mask().logical_not().unsqueeze(2)).eq(0).all().item<bool>());
}

// The training loss is that of the distribution that search sees; a probability of 0, as of a token to copy
// from outside the window of `local`, counts as least_probability.
TEST_P(Seq2SeqLaws, TheLossIsThatOfTheDistribution) {
  const Tensor scores = forward(batch.target_input).first, targets = batch.target_output;
  const Tensor own =
      -scores.gather(2, targets.unsqueeze(2)).squeeze(2).clamp_min(std::log(least_probability));
  EXPECT_NEAR(loss_of(model, batch, 0.0).negative_log_likelihood.item<double>(),
              (own * targets.ne(Vocabulary::padding)).sum().item<double>(), 1e-9);
}

TEST_P(Seq2SeqLaws, EverySourceWordMatters) {
  const Tensor before = log_probabilities(model, batch);
  for (const int64_t position : {0, 3, 5}) {
    TensorBatch changed = batch;
    changed.source.ids = batch.source.ids.clone();
    const int64_t word = changed.source.ids[2][position].item<int64_t>();
    changed.source.ids[2][position] = word == 4 ? 5 : 4;
    const Tensor after = log_probabilities(model, changed);
    EXPECT_FALSE(close(after[2], before[2], 1e-9)) << "position " << position;
    EXPECT_TRUE(same(after.narrow(0, 0, 2), before.narrow(0, 0, 2)));
  }
}

INSTANTIATE_TEST_SUITE_P(Architectures, Seq2SeqLaws, ::testing::ValuesIn(all_architectures()),
                         [](const auto& test) { return name_of(test.param); });

// In float32 the fused kernels run, in both types gradients are gathered: through a whole model they must
// agree with the plain kernels.
TEST(Seq2SeqTest, FastEqualsPlain) {
  for (const Architecture& architecture : all_architectures()) {
    Seq2Seq model = tiny_model(tiny_options(architecture));
    const TensorBatch batch = batch_of(examples_for(architecture));
    for (const auto type : {at::kDouble, at::kFloat}) {
      model->to(type);
      move_to_test_device(*model);
      const auto run = [&](Kernels kernels) {
        const ComputeScope scope(&Compute::kernels, kernels);
        model->zero_grad();
        const Tensor loss = loss_of(model, batch, 0.1).loss;
        loss.backward();
        std::vector<Tensor> values{loss.detach()};
        for (const Tensor& parameter : model->parameters()) values.push_back(parameter.grad().clone());
        return values;
      };
      const auto fast = run(Kernels::fast), plain = run(Kernels::plain);
      for (size_t i = 0; i < fast.size(); ++i)
        EXPECT_TRUE(close(fast[i], plain[i], type == at::kFloat ? 1e-4 : 1e-10))
            << name_of(architecture) << ", " << i;
      // Each operation by itself, with the shapes that a model passes to it.
      EXPECT_NO_THROW(run(Kernels::check)) << name_of(architecture);
    }
  }
}

TEST(Seq2SeqTest, OptionsThatDoNotFitAreRefused) {
  ModelOptions options;
  options.encoder = RnnEncoderOptions{.size = 3};
  options.decoder = RnnDecoderOptions{.size = 5, .attention = DotAttention{}};
  EXPECT_THROW(Seq2Seq(options, 9, 9), UsageError);
}

TEST(Seq2SeqTest, WhatAMemoryLacksIsNotSomethingElse) {
  Memory memory(cosine({1, 2, 3}), at::ones({1, 2}, at::kBool), cosine({1, 3}));
  EXPECT_FALSE(memory.has_copy_slots());
  EXPECT_THROW(memory.copy_slots(), c10::Error);
  EXPECT_THROW(memory.sentences(), c10::Error);
  Tensor prepared;
  EXPECT_THROW(memory.prepared()(prepared), c10::Error);
  memory.add_prepared(cosine({1, 4}));
  memory.prepared()(prepared);
  EXPECT_EQ(prepared.size(1), 4);
  memory.add_sentences({cosine({1, 2, 5}), at::ones({1, 2}, at::kBool), ids({0, 1}).view({1, 2})});
  EXPECT_EQ(memory.sentences().states.size(2), 5);
  EXPECT_TRUE(same(memory.sentences().of_word, ids({0, 1}).view({1, 2})));
}

// A tensor that is listed twice would be selected and archived twice.
TEST(Seq2SeqTest, AMemoryHoldsNothingTwice) {
  for (const Architecture& architecture : all_architectures()) {
    Seq2Seq model = tiny_model(tiny_options(architecture));
    const Memory memory = model->encode(batch_of(examples_for(architecture)).source);
    std::set<const void*> parts;
    for (const Tensor& tensor : memory.tensors) parts.insert(tensor.unsafeGetTensorImpl());
    EXPECT_EQ(parts.size(), memory.tensors.size()) << name_of(architecture);
  }
}

TEST(Seq2SeqTest, ABatchBecomesTensors) {
  const TensorBatch batch =
      batch_of({{.index = 0, .source = {5, 6}, .target = {7}}, {.index = 1, .source = {}, .target = {4, 8}}});
  EXPECT_TRUE(same(batch.source.ids, ids({5, 6, 3, 3, 0, 0}).view({2, 3})));
  EXPECT_TRUE(same(batch.source.lengths, ids({3, 1})));
  EXPECT_TRUE(same(batch.target_input, ids({2, 7, 0, 2, 4, 8}).view({2, 3})));
  EXPECT_TRUE(same(batch.target_output, ids({7, 3, 0, 4, 8, 3}).view({2, 3})));
}

TEST(Seq2SeqTest, ANotANumberIsNotHidden) {
  Seq2Seq model = tiny_model(tiny_options({}));
  {
    const at::NoGradGuard no_grad;
    model->named_parameters()["decoder.layer0.weight_hh"][0][0] = std::nan("");
  }
  EXPECT_TRUE(std::isnan(loss_of(model, batch_of(uneven_examples()), 0.1).loss.item<double>()));
}

}  // namespace
}  // namespace seq2seq::test
