// The steps of searches without tensors: equal to Decoder::advance, and each row by itself.
#include "seq2seq/model/decoder_steps.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <functional>

#include "../support/compare.h"
#include "../support/tiny_model.h"
#include "seq2seq/model/model_steps.h"
#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/engine/part_clock.h"
#include "seq2seq/nn/engine/weight_store.h"
#include "seq2seq/nn/ops/kernel_sets.h"

namespace seq2seq::test {
namespace {

class DecoderStepsTest : public ::testing::TestWithParam<Architecture> {
 protected:
  static Seq2Seq float_model() {
    Seq2Seq made = tiny_model(wide_options(GetParam()), 50, 0.3);
    made->to(at::kFloat);
    return made;
  }

  static bool expected() {
    const Architecture& a = GetParam();
    return a.transformer_decoder ||
           (!is<MultiHeadAttention>(a.attention) && !is<LocalAttention>(a.attention) &&
            !is<GruCoverage>(a.coverage) && (!a.hierarchical || is<NoAttention>(a.attention)));
  }
  /// `run(best)`: whether the set is the best of this machine.
  static void for_each_set(const std::function<void(bool best)>& run) {
    bool best = true;
    for (const KernelSet* set : kernel_sets()) {
      if (set->steps == nullptr || !set->serves(at::empty({1}))) continue;
      SCOPED_TRACE(set->name);
      const ComputeScope scope(&Compute::set, set);
      run(best);
      best = false;
    }
  }

  const at::NoGradGuard no_grad;
  Seq2Seq model = float_model();
  WeightStore weights{model->parameters()};
};

/// Rows of three sentences, or of the two that are left.
struct Steps {
  std::vector<int64_t> parents, tokens;
};

TEST_P(DecoderStepsTest, EqualAdvance) {
  if (!test_device().is_cpu()) GTEST_SKIP() << "steps are the CPU's";
  if (!expected()) {
    EXPECT_EQ(ModelSteps::of(model, weights), nullptr);
    EXPECT_NE(ModelSteps::why_none(model), "");
    return;
  }
  const std::vector<Steps> all{{{0, 1, 2}, {2, 2, 2}},  // one hypothesis each
                               {{0, 0, 1, 1, 2, 2}, {5, 6, 7, 8, 49, 50}},
                               {{1, 0, 2, 2, 4, 5}, {9, 5, 4, 5, 30, 55}},
                               {{4, 5, 1, 0}, {8, 7, 41, 40}},  // the third and the first sentence
                               {{1, 1, 2, 3}, {20, 21, 22, 23}}};
  const TensorBatch batch = batch_of(examples_for(GetParam(), 50));
  for_each_set([&](bool best) {
    const auto steps = ModelSteps::of(model, weights);
    ASSERT_NE(steps, nullptr);
    EXPECT_EQ(ModelSteps::why_none(model), "");
    for (int search = 0; search < (best ? 2 : 1); ++search) {  // the second uses the memory of the first
      Memory memory = model->encode(batch.source);
      State state = model->start(memory);
      steps->begin(memory);
      for (size_t t = 0; t < all.size(); ++t) {
        SCOPED_TRACE(t);
        const Tensor parents = at::tensor(all[t].parents), tokens = at::tensor(all[t].tokens);
        if (all[t].parents.size() == 4 && memory.count() == 3) {
          const Tensor kept = at::tensor({int64_t{2}, int64_t{0}});
          memory = memory.select(kept);
          steps->keep_sentences(kept);
        }
        const Step expected = model->advance(memory, tokens, state.select(parents));
        const Step actual = steps->advance(tokens, parents);
        EXPECT_TRUE(close(actual.features, expected.features, 2e-5));
        EXPECT_TRUE(close(actual.attention, expected.attention, 2e-5));
        ASSERT_EQ(actual.copy_gate.defined(), expected.copy_gate.defined());
        if (expected.copy_gate.defined()) {
          EXPECT_TRUE(close(actual.copy_gate, expected.copy_gate, 2e-5));
        }
        state = expected.next;
      }
    }
  });
}

TEST_P(DecoderStepsTest, ARowDependsOnItselfAlone) {
  if (!test_device().is_cpu() || !expected()) GTEST_SKIP() << "there are no steps";
  const std::vector<Example> examples = examples_for(GetParam(), 50);
  const auto features_of = [&](const std::vector<Example>& some, int64_t each) {
    const ComputeScope packed(&Compute::weights, &weights);
    const auto steps = ModelSteps::of(model, weights);
    const Memory memory = model->encode(batch_of(some).source);
    steps->begin(memory);
    std::vector<Tensor> features;
    const int64_t rows = memory.count() * each;
    Tensor parents = at::arange(memory.count()).repeat_interleave(each);
    for (const int64_t token : {2, 7, 8}) {
      features.push_back(steps->advance(at::full({rows}, token, at::kLong), parents).features.clone());
      parents = at::arange(rows);
    }
    return at::stack(features, 1).unflatten(0, {-1, each});  // [B, each, T, F]
  };
  const int threads = at::get_num_threads();
  for_each_set([&](bool best) {
    for (const int count : best ? std::vector<int>{1, 2} : std::vector<int>{2}) {
      at::set_num_threads(count);
      const Tensor together = features_of(examples, 5);
      for (size_t i = 0; i < examples.size(); ++i) {
        at::set_num_threads(3 - count);
        const Tensor alone = features_of({examples[i]}, 1);
        for (int64_t hypothesis = 0; hypothesis < 5; ++hypothesis)
          EXPECT_TRUE(together.select(0, static_cast<int64_t>(i)).select(0, hypothesis).equal(alone[0][0]))
              << "sentence " << i;
        at::set_num_threads(count);
      }
    }
  });
  at::set_num_threads(threads);
}

TEST(WithoutSteps, TheReasonIsKnown) {
  if (!test_device().is_cpu()) GTEST_SKIP() << "steps are the CPU's";
  const auto reason = [](const Architecture& architecture) {
    Seq2Seq model = tiny_model(tiny_options(architecture));
    model->to(at::kFloat);
    return ModelSteps::why_none(model);
  };
  EXPECT_EQ(reason({}), "");
  EXPECT_EQ(reason({.attention = LocalAttention{}}), "its attention is local");
  EXPECT_EQ(reason({.attention = MultiHeadAttention{}}), "its attention is multi-head");
  EXPECT_EQ(reason({.coverage = GruCoverage{}}), "its coverage is gru");
  EXPECT_EQ(reason({.hierarchical = true}), "its encoder is hierarchical");
  EXPECT_EQ(ModelSteps::why_none(tiny_model(tiny_options({}))), "its weights are not in float32");
  const ComputeScope narrow(&Compute::products, ProductFormat::bfloat16);
  EXPECT_EQ(reason({}), "products are not in float32");
  const ComputeScope plain(&Compute::kernels, Kernels::plain);
  EXPECT_EQ(reason({}), "the kernels are not the fast ones");
}

/// Of one step of N hypotheses, as both ways count them.
TEST(PartsOfSteps, CountTheProductsWithEachWeight) {
  if (!test_device().is_cpu()) GTEST_SKIP() << "steps are the CPU's";
  const at::NoGradGuard no_grad;
  Architecture transformer{.layers = 2};
  transformer.transformer_encoder = transformer.transformer_decoder = true;
  for (const Architecture& architecture : {Architecture{}, transformer}) {
    SCOPED_TRACE(name_of(architecture));
    Seq2Seq model = tiny_model(tiny_options(architecture));
    model->to(at::kFloat);
    WeightStore weights(model->parameters());
    const ComputeScope packed(&Compute::weights, &weights);
    int64_t each = 0;  // of the weights that multiply a hypothesis, not the memory
    for (const auto& parameter : model->decoder().named_parameters()) {
      const std::string& name = parameter.key();
      const bool of_memory = name.starts_with("bridge") || name.starts_with("attention.key") ||
                             name.find("cross_attention.memory") != std::string::npos;
      if (parameter->dim() == 2 && !of_memory) each += parameter->numel();
    }
    const Memory memory = model->encode(batch_of(uneven_examples()).source);
    const State state = model->start(memory);
    const auto steps = ModelSteps::of(model, weights);
    ASSERT_NE(steps, nullptr);
    steps->begin(memory);
    const Tensor tokens = at::full({3}, 5, at::kLong);
    const auto products_of = [&](const std::function<void()>& step) {
      PartClock clock(Part::framework);
      step();
      const PartTimes times = clock.times();
      EXPECT_GT(times.seconds[static_cast<size_t>(Part::products)], 0);
      EXPECT_GT(times.seconds[static_cast<size_t>(Part::attention)], 0);
      return times.multiply_adds[static_cast<size_t>(Part::products)];
    };
    EXPECT_EQ(products_of([&] { steps->advance(tokens, at::arange(3)); }), 3 * each);
    EXPECT_EQ(products_of([&] { model->advance(memory, tokens, state); }), 3 * each);
  }
}

TEST(RoundedWeights, ChangeFeaturesLittle) {
  if (!test_device().is_cpu()) GTEST_SKIP() << "steps are the CPU's";
  const at::NoGradGuard no_grad;
  Architecture transformer{.layers = 2}, gated{.cell = Cell::gru, .layers = 2};
  transformer.transformer_encoder = transformer.transformer_decoder = true;
  gated.context_gate = ContextGate::both;
  for (const Architecture& architecture : {Architecture{}, gated, transformer}) {
    SCOPED_TRACE(name_of(architecture));
    Seq2Seq model = tiny_model(wide_options(architecture), 50, 0.2);
    model->to(at::kFloat);
    const auto features_in = [&](WeightFormat format) {
      WeightStore weights(model->parameters(), format);
      const ComputeScope packed(&Compute::weights, &weights);
      const Memory memory = model->encode(batch_of(uneven_examples()).source);
      const auto steps = ModelSteps::of(model, weights);
      steps->begin(memory);
      std::vector<Tensor> features;
      for (const int64_t token : {2, 7, 8, 5})
        features.push_back(steps->advance(at::full({3}, token, at::kLong), at::arange(3)).features.clone());
      return at::cat(features);
    };
    const Tensor expected = features_in(WeightFormat::float32);
    for (const WeightFormat format : {WeightFormat::bfloat16, WeightFormat::int8}) {
      const auto difference = ((features_in(format) - expected).norm() / expected.norm()).item<double>();
      EXPECT_GT(difference, 1e-5) << option_name(format);
      EXPECT_LT(difference, 0.05) << option_name(format);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Architectures, DecoderStepsTest, testing::ValuesIn(all_architectures()),
                         [](const auto& tested) { return name_of(tested.param); });

}  // namespace
}  // namespace seq2seq::test
