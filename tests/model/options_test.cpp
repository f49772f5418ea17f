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

TEST(ModelOptionsTest, FreezingNeedsPretrainedVectors) {
  ModelOptions options = tiny_options({});
  options.embedding.freeze = true;
  EXPECT_THAT(message_of(options), AllOf(HasSubstr("embedding.freeze"), HasSubstr("source-file")));
  options.embedding.target_file = "vectors.txt";
  EXPECT_EQ(message_of(options), "accepted");
}

}  // namespace
}  // namespace seq2seq::test
