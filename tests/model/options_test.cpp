#include "seq2seq/model/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../support/tiny_model.h"
#include "seq2seq/core/error.h"

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
    ModelOptions options = tiny_options({.attention = AttentionKind::dot, .bidirectional = bidirectional});
    EXPECT_EQ(message_of(options), "accepted");
    std::get<RnnDecoderOptions>(options.decoder).size = 7;
    EXPECT_THAT(message_of(options),
                AllOf(HasSubstr("decoder.attention"), HasSubstr("7"),
                      HasSubstr(bidirectional ? "decoder.size to 6" : "decoder.size to 3")));
    std::get<RnnDecoderOptions>(options.decoder).attention = AttentionKind::general;
    EXPECT_EQ(message_of(options), "accepted");
  }
}

TEST(ModelOptionsTest, HeadsShareTheWidth) {
  Architecture architecture{.attention = AttentionKind::multi_head};
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
  std::get<RnnDecoderOptions>(options.decoder).heads = 3;
  EXPECT_THAT(message_of(options), AllOf(HasSubstr("decoder.heads: 3"), HasSubstr("8")));
  std::get<RnnDecoderOptions>(options.decoder).attention = AttentionKind::general;
  EXPECT_THAT(message_of(options), AllOf(HasSubstr("decoder.heads"), HasSubstr("multi-head")));
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
