#include "seq2seq/data/unknown_tokens.h"

#include <gmock/gmock.h>

#include "temporary_folder.h"

namespace seq2seq {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class UnknownTokensTest : public testing::Test {
 protected:
  Corpus corpus(const std::string& source, const std::string& target) const {
    return Corpus({folder.write("a", source), folder.write("b", target), ""});
  }
  static TextCodec codec(const TokenizerOptions& tokenizer, const std::vector<std::string>& words) {
    return {tokenizer, {}, "", Vocabulary(words)};
  }
  TemporaryFolder folder;
  TextCodec source = codec(WhitespaceTokenizerOptions{}, {"a", "b"});
  TextCodec target = codec(WhitespaceTokenizerOptions{}, {"x"});
};

TEST_F(UnknownTokensTest, AreCountedOnEachSide) {
  const auto [left, right] =
      count_unknown_tokens(corpus("a b c\n\na d\n", "x y z y p\n \nx x\n"), source, target, {});
  EXPECT_EQ(left.tokens, 5U);
  EXPECT_EQ(left.unknown, 2U);
  EXPECT_THAT(left.examples, ElementsAre("c", "d"));
  EXPECT_DOUBLE_EQ(left.share(), 0.4);
  EXPECT_EQ(right.tokens, 7U);
  EXPECT_EQ(right.unknown, 4U);
  EXPECT_THAT(right.examples, ElementsAre("y", "z", "p"));
  EXPECT_EQ(right.describe("target"),
            "57.1% of the target's tokens become <unk> in the first 3 pairs, such as 'y', 'z', 'p'");
}

TEST_F(UnknownTokensTest, WordsThatCopyingCanWriteAreKnown) {
  const Corpus pairs = corpus("a c d\n", "x c q c\n");
  const auto [left, right] = count_unknown_tokens(pairs, source, target, {true, false, ""});
  EXPECT_EQ(left.unknown, 0U);
  EXPECT_EQ(right.unknown, 1U);
  EXPECT_THAT(right.examples, ElementsAre("q"));
  EXPECT_EQ(right.tokens, 4U);
  EXPECT_EQ(count_unknown_tokens(pairs, source, target, {})[1].unknown, 3U);
}

// Every vocabulary has the space: one of another script would seem half known.
TEST_F(UnknownTokensTest, SpacesAreNotCounted) {
  const TextCodec characters = codec(CharTokenizerOptions{}, {"\u2581", "a"});
  const auto [left, right] = count_unknown_tokens(corpus("б в г\n", "a б a\n"), characters, characters, {});
  EXPECT_EQ(left.tokens, 3U);
  EXPECT_EQ(left.share(), 1);
  EXPECT_EQ(right.tokens, 3U);
  EXPECT_EQ(right.unknown, 1U);
}

TEST_F(UnknownTokensTest, SeparatorsOfSentencesAreNotCounted) {
  const Corpus pairs = corpus("a | c | b\n", "x\n");
  const TextForm form{false, true, "|"};
  EXPECT_EQ(count_unknown_tokens(pairs, source, target, form)[0].tokens, 3U);
  EXPECT_EQ(count_unknown_tokens(pairs, source, target, form)[0].unknown, 1U);
}

TEST_F(UnknownTokensTest, TheFirstTenThousandPairsAreRead) {
  std::string known, unknown;
  for (int i = 0; i < 10'000; ++i) known += "a\n";
  for (int i = 0; i < 100; ++i) unknown += "c\n";
  const auto sides = count_unknown_tokens(corpus(known + unknown, unknown + known), source, source, {});
  EXPECT_EQ(sides[0].pairs, 10'000U);
  EXPECT_EQ(sides[0].tokens, 10'000U);
  EXPECT_EQ(sides[0].unknown, 0U);
  EXPECT_EQ(sides[1].unknown, 100U);
}

TEST_F(UnknownTokensTest, OfNoTextNothingIsUnknown) {
  const auto sides = count_unknown_tokens(corpus("\n", "\n"), source, target, {});
  EXPECT_EQ(sides[0].share(), 0);
  EXPECT_THAT(sides[0].examples, IsEmpty());
}

}  // namespace
}  // namespace seq2seq
