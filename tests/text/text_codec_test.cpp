#include "seq2seq/text/text_codec.h"

#include <gtest/gtest.h>

#include "text_support.h"

namespace seq2seq {
namespace {

using Ids = std::vector<int64_t>;
using Words = std::vector<std::string>;

TEST(TextCodec, GivesIdsAndLines) {
  const TextCodec codec(WordTokenizerOptions{}, {.nfkc = false, .lowercase = true}, "",
                        Vocabulary(Words{"the", "dog", "￭."}));
  EXPECT_EQ(codec.ids("The cat, the dog."), (Ids{4, 1, 1, 4, 5, 6}));
  EXPECT_EQ(codec.ids(""), Ids{});
  EXPECT_EQ(surfaces_of(codec.tokenize("The cat.")), (Words{"The", "cat", "￭."}));
  EXPECT_EQ(codec.detokenize(Words{"the", "dog", "￭."}), "the dog.");
  EXPECT_EQ(codec.vocabulary().size(), 7);
}

TEST(TextCodec, TextSpelledLikeASpecialTokenIsUnknown) {
  const TextCodec codec(CharTokenizerOptions{}, {}, "", Vocabulary(Words{"s"}));
  const std::vector<Token> tokens = {{"<s>", "<s>"}, {"</s>", "</s>"}, {"<pad>", "<pad>"}, {"s", "s"}};
  EXPECT_EQ(codec.ids(tokens), (Ids{1, 1, 1, 4}));
}

TEST(TextCodec, CanBeMoved) {
  TextCodec first(CharTokenizerOptions{}, {}, "", Vocabulary(Words{"a"}));
  const TextCodec second = std::move(first);
  EXPECT_EQ(second.ids("ab"), (Ids{4, 1}));
}

}  // namespace
}  // namespace seq2seq
