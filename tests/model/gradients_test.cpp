// Gradients of the whole loss against finite differences, for every parameter, also with all kinds of
// dropout: masks are functions of the seed, so the loss is a smooth function of the weights.
#include <gtest/gtest.h>

#include "../support/gradcheck.h"
#include "../support/tiny_model.h"

namespace seq2seq::test {
namespace {

constexpr int64_t vocabulary = 6;

ModelOptions small(const Architecture& architecture, double dropout) {
  ModelOptions options = tiny_options(architecture);
  std::visit(
      [&]<class Options>(Options& encoder) {
        if constexpr (std::is_same_v<Options, TransformerOptions>) {
          encoder.inner_size = 3;
          encoder.dropout = encoder.attention_dropout = encoder.activation_dropout = dropout;
        } else {
          options.embedding.size = 2;
          encoder.size = 2;
          encoder.dropout = encoder.recurrent_dropout = dropout;
        }
      },
      options.encoder);
  if (auto* transformer = std::get_if<TransformerOptions>(&options.decoder)) {
    options.embedding.size = 4;
    transformer->inner_size = 3;
    transformer->dropout = transformer->attention_dropout = transformer->activation_dropout = dropout;
  } else {
    auto& decoder = std::get<RnnDecoderOptions>(options.decoder);
    decoder.size = is<DotAttention>(architecture.attention)         ? memory_size(options)
                   : is<MultiHeadAttention>(architecture.attention) ? 4
                                                                    : 3;
    decoder.dropout = decoder.recurrent_dropout = dropout;
  }
  return options;
}

/// Two short examples with what the architecture needs: unknown tokens, sentences.
std::vector<Example> small_examples(const ModelOptions& options) {
  std::vector<Example> examples = random_examples({0, 3}, {2, 2}, vocabulary);
  if (options.copying) {
    examples[1].source = {vocabulary, 4, vocabulary};
    examples[1].target = {4, vocabulary};
  }
  if (std::holds_alternative<HierarchicalEncoderOptions>(options.encoder))
    examples[1].source[2] = Vocabulary::begin;
  return examples;
}

::testing::AssertionResult loss_gradients_agree(Seq2Seq& model, double smoothing, bool with_noise) {
  const TensorBatch batch = batch_of(small_examples(model->options()));
  {
    // The padding row is not learned: its gradient is left out on purpose.
    const at::NoGradGuard no_grad;
    model->source_embedding()->weight.select(0, 0).zero_();
    model->target_embedding()->weight.select(0, 0).zero_();
  }
  return gradients_agree(
      [&] {
        Noise noise(5);
        Noise* drawn = with_noise ? &noise : nullptr;
        const Memory memory = model->encode(batch.source, drawn);
        const StepSequence steps = model->decode(memory, batch.target_input, drawn);
        const Tensor loss = model->output()->loss(steps, memory, batch.target_output, smoothing).loss;
        if (!model->has_attention()) return loss;
        return loss + 0.7 * coverage_loss(steps.attention, batch.target_output.ne(Vocabulary::padding));
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
                         ::testing::Values(Architecture{Cell::lstm, AdditiveAttention{}, true, 1, true},
                                           Architecture{Cell::lstm, GeneralAttention{}, true, 2, false},
                                           Architecture{Cell::gru, DotAttention{}, false, 1, true},
                                           Architecture{Cell::gru, NoAttention{}, true, 1, true},
                                           Architecture{Cell::rnn, AdditiveAttention{}, false, 2, true},
                                           Architecture{Cell::rnn, NoAttention{}, false, 1, false}),
                         [](const auto& test) { return name_of(test.param); });

// Every coverage, copying and encoder; kinds of attention are tested in nn, except for copying with weights
// that sum to less than 1.
std::vector<Architecture> with_two_attentions() {
  std::vector<Architecture> all = copying_architectures();
  std::erase_if(all, [](const Architecture& a) {
    return !is<AdditiveAttention>(a.attention) && !(is<LocalAttention>(a.attention) && a.copying);
  });
  return all;
}

INSTANTIATE_TEST_SUITE_P(Copying, LossGradientTest, ::testing::ValuesIn(with_two_attentions()),
                         [](const auto& test) { return name_of(test.param); });
INSTANTIATE_TEST_SUITE_P(Deep, LossGradientTest, ::testing::ValuesIn(deep_architectures()),
                         [](const auto& test) { return name_of(test.param); });
// The table of learned positions is too large for finite differences; the Python model checks its gradient.
std::vector<Architecture> without_learned_positions() {
  std::vector<Architecture> all = transformer_architectures();
  std::erase_if(all, [](const Architecture& a) {
    return a.positions == PositionKind::learned || (!a.transformer_decoder && is<GruCoverage>(a.coverage));
  });
  return all;
}

INSTANTIATE_TEST_SUITE_P(Transformer, LossGradientTest, ::testing::ValuesIn(without_learned_positions()),
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
