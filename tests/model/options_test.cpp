#include "seq2seq/model/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "../support/tiny_model.h"
#include "seq2seq/core/error.h"
#include "seq2seq/model/transformer.h"

namespace seq2seq::test {
namespace {

using ::testing::HasSubstr;

std::string message_of(const ModelOptions& options) {
  try {
    check(options);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(ModelOptionsTest, DotAttentionNeedsEqualWidths) {
  for (const bool bidirectional : {true, false}) {
    ModelOptions options = tiny_options({.attention = DotAttention{}, .bidirectional = bidirectional});
    EXPECT_EQ(message_of(options), "accepted");
    std::get<RnnDecoderOptions>(options.decoder).size = 7;
    EXPECT_THAT(message_of(options),
                AllOf(HasSubstr("decoder.attention"), HasSubstr("7"),
                      HasSubstr(bidirectional ? "decoder.size to 6" : "decoder.size to 3")));
    std::get<RnnDecoderOptions>(options.decoder).attention = GeneralAttention{};
    EXPECT_EQ(message_of(options), "accepted");
  }
}

TEST(ModelOptionsTest, HeadsShareTheWidth) {
  Architecture architecture{.attention = MultiHeadAttention{}};
  architecture.transformer_encoder = true;
  ModelOptions options = tiny_options(architecture);
  std::get<TransformerOptions>(options.encoder).heads = 3;
  EXPECT_THAT(message_of(options), AllOf(HasSubstr("encoder.heads: 3"), HasSubstr("4")));
  std::get<TransformerOptions>(options.encoder).heads = 4;
  EXPECT_EQ(message_of(options), "accepted");
  std::get<TransformerOptions>(options.encoder).positions = PositionKind::rotary;
  EXPECT_THAT(message_of(options), AllOf(HasSubstr("encoder.positions: rotary"), HasSubstr("pairs")));
  std::get<TransformerOptions>(options.encoder).heads = 2;
  EXPECT_EQ(message_of(options), "accepted");
  std::get<RnnDecoderOptions>(options.decoder).attention = MultiHeadAttention{.heads = 3};
  EXPECT_THAT(message_of(options), AllOf(HasSubstr("decoder.heads: 3"), HasSubstr("8")));
}

TEST(ModelOptionsTest, WhatAProgramSetsIsHeldToItsRange) {
  const auto refused = [](const auto& change, const std::string& message) {
    ModelOptions options = tiny_options({});
    change(options);
    EXPECT_EQ(message_of(options), message);
    EXPECT_THROW(Seq2Seq(options, 9, 9), UsageError);
  };
  refused([](auto& o) { o.encoder = TransformerOptions{.heads = 0}; },
          "--encoder.heads: 0 is out of range; give 1 to 64");
  refused([](auto& o) { o.decoder = TransformerOptions{.heads = -2}; },
          "--decoder.heads: -2 is out of range; give 1 to 64");
  refused([](auto& o) { o.encoder = TransformerOptions{.layers = 0}; },
          "--encoder.layers: 0 is out of range; give 1 to 64");
  refused([](auto& o) { o.encoder = TransformerOptions{.inner_size = 0}; },
          "--encoder.inner-size: 0 is out of range; give 1 to 65536");
  refused([](auto& o) { o.encoder = TransformerOptions{.attention_dropout = -0.1}; },
          "--encoder.attention-dropout: -0.1 is out of range; give 0 to 0.95");
  refused([](auto& o) { o.encoder = RnnEncoderOptions{.size = 0}; },
          "--encoder.size: 0 is out of range; give 1 to 8192");
  refused([](auto& o) { o.encoder = HierarchicalEncoderOptions{.sentence_size = 0}; },
          "--encoder.sentence-size: 0 is out of range; give 1 to 8192");
  refused([](auto& o) { o.decoder = RnnDecoderOptions{.recurrent_dropout = 1}; },
          "--decoder.recurrent-dropout: 1 is out of range; give 0 to 0.95");
  refused([](auto& o) { o.decoder = RnnDecoderOptions{.attention = MultiHeadAttention{.heads = 0}}; },
          "--decoder.heads: 0 is out of range; give 1 to 64");
  refused([](auto& o) { o.decoder = RnnDecoderOptions{.attention = LocalAttention{.window = 0}}; },
          "--decoder.window: 0 is out of range; give 1 to 10000");
  refused([](auto& o) { o.embedding.size = 0; }, "--embedding.size: 0 is out of range; give 1 to 8192");
  refused([](auto& o) { o.word_dropout = std::nan(""); },
          "--word-dropout: nan is out of range; give 0 to 0.95");
}

TEST(ModelOptionsTest, PartsHoldTheirOptionsToTheirRangesToo) {
  EXPECT_THROW(TransformerEncoderImpl(TransformerOptions{.heads = 0}, 4), UsageError);
  EXPECT_THROW(TransformerDecoderImpl(TransformerOptions{.heads = 0}, false, 4, 4), UsageError);
  EXPECT_THROW(RnnEncoderImpl(RnnEncoderOptions{.layers = 0}, 4), UsageError);
  EXPECT_THROW(HierarchicalEncoderImpl(HierarchicalEncoderOptions{.sentence_size = 0}, 4), UsageError);
  EXPECT_THROW(RnnDecoderImpl(RnnDecoderOptions{.size = 0}, false, 4, 6, 6, 0), UsageError);
}

ModelOptions with_decoder(const std::string& decoder) {
  return options_from_json<ModelOptions>(R"({"decoder": )" + decoder + "}", "config.json");
}

// Config files and archives from when all recurrent decoders had heads can still be read.
TEST(ModelOptionsTest, HeadsStandBesideTheAttention) {
  const auto heads = [](const ModelOptions& options) {
    return std::get<MultiHeadAttention>(std::get<RnnDecoderOptions>(options.decoder).attention).heads;
  };
  EXPECT_EQ(heads(with_decoder(R"({"type": "rnn", "attention": "multi-head", "heads": 8})")), 8);
  EXPECT_EQ(heads(with_decoder(R"({"type": "rnn", "attention": "multi-head"})")), 4);
  const std::string written = options_to_json(with_decoder(R"({"attention": "multi-head", "heads": 2})"));
  EXPECT_THAT(written, AllOf(HasSubstr(R"("attention": "multi-head")"), HasSubstr(R"("heads": 2)")));
  EXPECT_EQ(heads(options_from_json<ModelOptions>(written, "config.json")), 2);
  for (const char* attention : {"none", "dot", "general", "additive", "local"}) {
    const std::string beside =
        R"({"type": "rnn", "attention": ")" + std::string(attention) + R"(", "heads": )";
    const ModelOptions options = with_decoder(beside + "4}");
    EXPECT_EQ(option_name(std::get<RnnDecoderOptions>(options.decoder).attention), attention);
    EXPECT_THAT(
        [&] { with_decoder(beside + "8}"); },
        ::testing::ThrowsMessage<UsageError>("config.json: decoder.heads: 8 applies only with "
                                             "decoder.attention=multi-head; choose that, or leave this out"));
  }
}

// They belong to multi-head attention, which a later patch replaces.
TEST(ModelOptionsTest, AnotherAttentionDropsTheHeads) {
  OptionPatch patch =
      OptionPatch::from_json(R"({"decoder": {"attention": "multi-head", "heads": 8}})", "preset");
  OptionPatch later;
  later.set_text("decoder.attention", {"additive"}, "--decoder.attention");
  patch.merge(later);
  ModelOptions options;
  apply(options, patch);
  EXPECT_EQ(std::get<RnnDecoderOptions>(options.decoder).attention, AttentionOptions(AdditiveAttention{}));
}

TEST(ModelOptionsTest, WhatNeedsAttentionNamesEveryKind) {
  ModelOptions options = tiny_options({.attention = NoAttention{}});
  options.copying = true;
  EXPECT_THAT(message_of(options),
              HasSubstr("set --decoder.attention to dot, general, additive, multi-head or local"));
}

TEST(ModelOptionsTest, FreezingNeedsPretrainedVectors) {
  ModelOptions options = tiny_options({});
  options.embedding.freeze = true;
  EXPECT_THAT(message_of(options), AllOf(HasSubstr("embedding.freeze"), HasSubstr("source-file")));
  options.embedding.target_file = "vectors.txt";
  EXPECT_EQ(message_of(options), "accepted");
}

}  // namespace
}  // namespace seq2seq::test
