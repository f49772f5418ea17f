// Gradients of the whole loss against differences, for every parameter, with all kinds of dropout on: its
// masks are functions of the seed, so the loss is a smooth function of the weights.
#include <gtest/gtest.h>

#include "../support/gradcheck.h"
#include "../support/tiny_model.h"

namespace seq2seq::test {
namespace {

constexpr int64_t vocabulary = 6;

ModelOptions small(const Architecture& architecture, double dropout) {
  ModelOptions options = tiny_options(architecture);
  options.embedding.size = 2;
  auto& encoder = std::get<RnnEncoderOptions>(options.encoder);
  auto& decoder = std::get<RnnDecoderOptions>(options.decoder);
  encoder.size = 2;
  decoder.size = architecture.attention == AttentionKind::dot ? encoder.memory_size() : 3;
  encoder.dropout = decoder.dropout = encoder.recurrent_dropout = decoder.recurrent_dropout = dropout;
  return options;
}

::testing::AssertionResult loss_gradients_agree(Seq2Seq& model, double smoothing, bool with_noise) {
  const TensorBatch batch = batch_of(random_examples({0, 2}, {2, 1}, vocabulary));
  {
    // The padding row is no input to be learned: its gradient is left out on purpose.
    const at::NoGradGuard no_grad;
    model->source_embedding()->weight.select(0, 0).zero_();
    model->target_embedding()->weight.select(0, 0).zero_();
  }
  return gradients_agree(
      [&] {
        Noise noise(5);
        return loss_of(model, batch, smoothing, with_noise ? &noise : nullptr).loss;
      },
      model->parameters());
}

class LossGradientTest : public ::testing::TestWithParam<Architecture> {};

TEST_P(LossGradientTest, EqualsDifferences) {
  Seq2Seq model = tiny_model(small(GetParam(), 0), vocabulary);
  EXPECT_TRUE(loss_gradients_agree(model, 0.1, false));
}

TEST_P(LossGradientTest, EqualsDifferencesWithDropout) {
  Seq2Seq model = tiny_model(small(GetParam(), 0.3), vocabulary);
  EXPECT_TRUE(loss_gradients_agree(model, 0.0, true));
}

INSTANTIATE_TEST_SUITE_P(Architectures, LossGradientTest,
                         ::testing::Values(Architecture{Cell::lstm, AttentionKind::additive, true, 1, true},
                                           Architecture{Cell::lstm, AttentionKind::general, true, 2, false},
                                           Architecture{Cell::gru, AttentionKind::dot, false, 1, true},
                                           Architecture{Cell::gru, AttentionKind::none, true, 1, true},
                                           Architecture{Cell::rnn, AttentionKind::additive, false, 2, true},
                                           Architecture{Cell::rnn, AttentionKind::none, false, 1, false}),
                         [](const auto& test) { return name_of(test.param); });

TEST(LossGradientTest, SharedMatricesCollectTheirGradients) {
  for (const auto sharing :
       {EmbeddingSharing::source_target, EmbeddingSharing::target_output, EmbeddingSharing::all}) {
    ModelOptions options = small({}, 0);
    options.embedding.sharing = sharing;
    Seq2Seq model = tiny_model(options, vocabulary);
    EXPECT_TRUE(loss_gradients_agree(model, 0.1, false))
        << option_names(sharing)[static_cast<size_t>(sharing)];
  }
}

}  // namespace
}  // namespace seq2seq::test
