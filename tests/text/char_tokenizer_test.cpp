#include <gtest/gtest.h>

#include "text_support.h"

namespace seq2seq {
namespace {

using Words = std::vector<std::string>;

TEST(CharTokenizer, OneTokenACodePoint) {
  const auto tokenizer = make_tokenizer(CharTokenizerOptions{}, {});
  EXPECT_EQ(texts_of(tokenizer->tokenize("Ü b  😀")), (Words{"Ü", "▁", "b", "▁", "▁", "😀"}));
  EXPECT_EQ(texts_of(tokenizer->tokenize("▁\t")), (Words{"％2581", "％0009"}));
  EXPECT_EQ(tokenizer->tokenize(""), std::vector<Token>{});
  EXPECT_EQ(tokenizer->detokenize(Words{"a", "▁", "％2581", "", "b"}), "a ▁b");
}

TEST(CharTokenizer, SurfacesBelongToTheFirstCharacterMadeOfThem) {
  const auto tokenizer = make_tokenizer(CharTokenizerOptions{}, {.nfkc = true, .lowercase = true});
  EXPECT_EQ(tokenizer->tokenize("Ｘ…e\u0301"),
            (std::vector<Token>{{"x", "Ｘ"}, {".", "…"}, {".", ""}, {".", ""}, {"é", "e\u0301"}}));
}

TEST(CharTokenizer, DetokenizationIsExact) {
  for (const auto& options : all_normalizations) {
    const auto tokenizer = make_tokenizer(CharTokenizerOptions{}, options);
    for (const auto& line : awkward_lines(800, 4)) {
      const auto tokens = tokenizer->tokenize(line);
      ASSERT_EQ(tokenizer->detokenize(surfaces_of(tokens)), line);
      ASSERT_EQ(tokenizer->detokenize(texts_of(tokens)), normalize(line, options));
    }
  }
}

}  // namespace
}  // namespace seq2seq
