// The methods of an archive against the C++ modules, at batch sizes and lengths that tracing never saw.
#include "seq2seq/model/archive/torchscript.h"

#include <gtest/gtest.h>

#include <sstream>

#include "../support/compare.h"
#include "../support/tiny_model.h"

namespace seq2seq::test {
namespace {

class TorchScriptTest : public ::testing::TestWithParam<Architecture> {
 protected:
  const at::NoGradGuard no_grad;
  Seq2Seq model = tiny_model(tiny_options(GetParam()));
  torch::jit::Module archive = [this] {
    std::stringstream file;
    to_torchscript(model).save(file);
    // What is loaded shares nothing with the model.
    torch::jit::Module loaded = torch::jit::load(file);
    return loaded;
  }();

  std::vector<TensorBatch> batches() const {
    std::vector<Example> all = examples_for(GetParam());
    std::vector<Example> more = random_examples({11, 2, 5, 1, 8}, {6, 2, 3, 1, 7}, 9, 3);
    return {batch_of(all), batch_of({all[2]}), batch_of({all[0]}), batch_of(more)};
  }
};

TEST_P(TorchScriptTest, StepsEqualTheModules) {
  for (const TensorBatch& batch : batches()) {
    const Memory memory = model->encode(batch.source);
    const Tensor expected = log_probabilities_of(model, memory, model->decode(memory, batch.target_input));
    const at::IValue script_memory = archive.get_method("encode")({batch.source.ids, batch.source.lengths});
    at::IValue state = archive.get_method("start")({script_memory});
    for (int64_t t = 0; t < batch.target_input.size(1); ++t) {
      const auto step =
          archive.get_method("step")({script_memory, batch.target_input.select(1, t), state}).toTuple();
      EXPECT_TRUE(close(step->elements()[0].toTensor().clamp_min(-700), expected.select(1, t)))
          << batch.source.ids.sizes() << " step " << t;
      state = step->elements()[2];
    }
  }
}

TEST_P(TorchScriptTest, GreedyEqualsTheLoopWrittenOut) {
  constexpr int64_t longest = 6;
  for (const TensorBatch& batch : batches()) {
    const Tensor actual =
        archive.get_method("greedy")({batch.source.ids, batch.source.lengths, longest}).toTensor();
    ASSERT_EQ(actual.size(0), batch.source.ids.size(0));
    ASSERT_LE(actual.size(1), longest);
    const Memory memory = model->encode(batch.source);
    for (int64_t b = 0; b < actual.size(0); ++b) {
      const Memory own = memory.select(at::tensor({b}, at::kLong));
      State state = model->start(own);
      int64_t word = Vocabulary::begin;
      for (int64_t t = 0; t < actual.size(1); ++t) {
        if (word == Vocabulary::end || word == Vocabulary::padding) {
          word = Vocabulary::padding;
        } else {
          const Step step = model->advance(own, at::tensor({word}, at::kLong), state);
          Tensor scores = model->output()->log_probabilities(step, own)[0].clone();
          scores[Vocabulary::padding] = scores[Vocabulary::begin] = -1e30;
          word = scores.argmax().item<int64_t>();
          state = step.next;
        }
        EXPECT_EQ(actual[b][t].item<int64_t>(), word) << "sentence " << b << ", step " << t;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Architectures, TorchScriptTest, ::testing::ValuesIn(all_architectures()),
                         [](const auto& test) { return name_of(test.param); });

}  // namespace
}  // namespace seq2seq::test
