#include <gtest/gtest.h>

#include "seq2seq/text/tokenizer.h"

namespace seq2seq {
namespace {

TEST(WhitespaceTokenizer, TokensStayAsTheyAre) {
  const auto tokenizer = make_tokenizer(WhitespaceTokenizerOptions{}, {});
  const std::vector<Token> expected{{"a@@", "a@@"}, {"￭,", "￭,"}, {"b▁％", "b▁％"}, {"c", "c"}, {"d", "d"}};
  EXPECT_EQ(tokenizer->tokenize(" a@@  ￭,\tb▁％ c\u00A0d\r"), expected);
  EXPECT_TRUE(tokenizer->tokenize(" \t\u3000").empty());
  EXPECT_EQ(tokenizer->detokenize(std::vector<std::string>{"a@@", "", "￭,", "b▁％"}), "a@@ ￭, b▁％");
}

TEST(WhitespaceTokenizer, SurfacesAreTheTextBeforeNormalization) {
  const auto tokenizer = make_tokenizer(WhitespaceTokenizerOptions{}, {.nfkc = true, .lowercase = true});
  const std::vector<Token> expected{{"ffi", "Ｆ\uFB01"}, {"x", "X"}, {"y", "Y"}};
  EXPECT_EQ(tokenizer->tokenize("Ｆ\uFB01 X\u00A0Y"), expected);
}

}  // namespace
}  // namespace seq2seq
