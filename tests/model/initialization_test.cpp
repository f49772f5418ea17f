#include <gtest/gtest.h>

#include <cmath>

#include "../support/compare.h"
#include "../support/tiny_model.h"

namespace seq2seq::test {
namespace {

Seq2Seq initialized(const ModelOptions& options, uint64_t seed) {
  Seq2Seq model(options, 40, 50);
  {
    const at::NoGradGuard no_grad;
    for (Tensor& parameter : model->parameters()) parameter.fill_(std::nan(""));
  }
  model->initialize(seed);
  return model;
}

bool all_equal(Seq2Seq& a, Seq2Seq& b) {
  for (const auto& parameter : a->named_parameters())
    if (!at::equal(parameter.value(), b->named_parameters()[parameter.key()])) return false;
  return true;
}

TEST(InitializeTest, DependsOnTheSeedAlone) {
  const ModelOptions options = tiny_options({.layers = 2});
  at::manual_seed(1);
  Seq2Seq first = initialized(options, 7);
  at::manual_seed(2);
  Seq2Seq second = initialized(options, 7), other = initialized(options, 8);
  EXPECT_TRUE(all_equal(first, second));
  EXPECT_FALSE(all_equal(first, other));
  // Nor does it disturb torch's own stream.
  at::manual_seed(3);
  const Tensor expected = at::rand({4});
  at::manual_seed(3);
  first->initialize(9);
  EXPECT_TRUE(same(at::rand({4}), expected));
}

TEST(InitializeTest, WeightsAreUniformAndBiasesZero) {
  for (const Cell cell : {Cell::rnn, Cell::lstm, Cell::gru}) {
    ModelOptions options = tiny_options({.cell = cell, .layers = 2});
    options.initial_range = 0.25;
    options.embedding.size = 100;
    Seq2Seq model = initialized(options, 7);
    for (const auto& parameter : model->named_parameters()) {
      const std::string& name = parameter.key();
      const Tensor value = parameter.value().detach();
      if (cell == Cell::lstm && name.ends_with("bias_ih")) {
        // Gates in order: input, forget, cell, output.
        const int64_t width = value.size(0) / 4;
        const Tensor forget = at::tensor({0.0, 1.0, 0.0, 0.0}).repeat_interleave(width);
        EXPECT_TRUE(same(value, forget.to(at::kFloat))) << name;
      } else if (name.find("bias") != std::string::npos) {
        EXPECT_TRUE(value.eq(0).all().item<bool>()) << name;
      } else {
        EXPECT_LE(value.abs().max().item<double>(), 0.25) << name;
        EXPECT_GT(value.ne(0).sum().item<int64_t>(), 0) << name;
      }
    }
    const Tensor words = model->source_embedding()->weight.detach().slice(0, 1);
    EXPECT_NEAR(words.mean().item<double>(), 0, 5 * 0.25 / std::sqrt(3.0 * 3900));
    EXPECT_NEAR(words.std().item<double>(), 0.25 / std::sqrt(3.0), 0.01);
    EXPECT_TRUE(model->source_embedding()->weight[0].eq(0).all().item<bool>());
    EXPECT_TRUE(model->target_embedding()->weight[0].eq(0).all().item<bool>());
  }
}

TEST(InitializeTest, TransformerLayersBeginAsGlorotSays) {
  Architecture architecture{};
  architecture.transformer_encoder = architecture.transformer_decoder = true;
  ModelOptions options = tiny_options(architecture);
  options.embedding.size = 64;
  options.initial_range = 0.01;
  Seq2Seq model = initialized(options, 7);
  int64_t norms = 0, matrices = 0;
  for (const auto& parameter : model->named_parameters()) {
    const std::string& name = parameter.key();
    const Tensor value = parameter.value().detach();
    if (name.find("bias") != std::string::npos) {
      EXPECT_TRUE(value.eq(0).all().item<bool>()) << name;
    } else if (name.find("norm") != std::string::npos) {
      EXPECT_TRUE(value.eq(1).all().item<bool>()) << name;
      ++norms;
    } else if (name.find("layer") != std::string::npos) {
      const double bound = std::sqrt(6.0 / static_cast<double>(value.size(0) + value.size(1)));
      EXPECT_NEAR(value.abs().max().item<double>(), bound, 0.05 * bound) << name;
      ++matrices;
    } else {
      EXPECT_LE(value.abs().max().item<double>(), 0.01) << name;
    }
  }
  EXPECT_EQ(norms, 2 + 3 + 2);
  EXPECT_EQ(matrices, 4 + 7);
}

}  // namespace
}  // namespace seq2seq::test
