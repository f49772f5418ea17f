#include <gtest/gtest.h>

#include "seq2seq/text/white_space.h"
#include "text_support.h"

namespace seq2seq {
namespace {

using Words = std::vector<std::string>;

std::vector<Token> tokenize(std::string_view line, const NormalizationOptions& normalization = {}) {
  return make_tokenizer(WordTokenizerOptions{}, normalization)->tokenize(line);
}
Words words(std::string_view line, const NormalizationOptions& normalization = {}) {
  return texts_of(tokenize(line, normalization));
}

TEST(WordTokenizer, English) {
  EXPECT_EQ(words("A man, in a blue shirt, is standing."),
            (Words{"A", "man", "￭,", "in", "a", "blue", "shirt", "￭,", "is", "standing", "￭."}));
  EXPECT_EQ(words("Don't stop: it's state-of-the-art!"),
            (Words{"Don't", "stop", "￭:", "it's", "state-of-the-art", "￭!"}));
  EXPECT_EQ(words("He said \"yes\" (twice)."),
            (Words{"He", "said", "\"￭", "yes", "￭\"", "(￭", "twice", "￭)", "￭."}));
}

TEST(WordTokenizer, German) {
  EXPECT_EQ(words("„Grüß Gott“, sagte sie."),
            (Words{"„￭", "Grüß", "Gott", "￭“", "￭,", "sagte", "sie", "￭."}));
  EXPECT_EQ(words("Wie geht’s? - Gut ..."), (Words{"Wie", "geht’s", "￭?", "-", "Gut", ".", "￭.", "￭."}));
}

TEST(WordTokenizer, NumbersStayWhole) {
  EXPECT_EQ(words("3.14, 1,000.50 or 5%"), (Words{"3.14", "￭,", "1,000.50", "or", "5", "￭%"}));
  EXPECT_EQ(words("in 1990."), (Words{"in", "1990", "￭."}));
  EXPECT_EQ(words("a.b 1.a"), (Words{"a", "￭.￭", "b", "1", "￭.￭", "a"}));
}

TEST(WordTokenizer, Addresses) {
  EXPECT_EQ(words("http://a-b.de/x?q=1"),
            (Words{"http", "￭:", "￭/", "￭/￭", "a-b", "￭.￭", "de", "￭/￭", "x", "￭?￭", "q", "￭=￭", "1"}));
}

TEST(WordTokenizer, EdgesOfWords) {
  EXPECT_EQ(words("'tis rock 'n' roll--no -5-"),
            (Words{"'￭", "tis", "rock", "'￭", "n", "￭'", "roll", "￭-", "￭-￭", "no", "-￭", "5", "￭-"}));
}

TEST(WordTokenizer, ScriptsWithoutSpaces) {
  EXPECT_EQ(words("日本語。"), (Words{"日", "￭本", "￭語", "￭。"}));
  EXPECT_EQ(words("한국어 말"), (Words{"한국어", "말"}));
}

TEST(WordTokenizer, MarksAndEmojiSequencesStayTogether) {
  EXPECT_EQ(words("cafe\u0301s 👩\u200D🚀! 🇩🇪🇫🇷"), (Words{"cafe\u0301s", "👩\u200D🚀", "￭!", "🇩🇪", "￭🇫🇷"}));
}

TEST(WordTokenizer, WhiteSpaceOnlySeparates) {
  EXPECT_EQ(words("a  b"), (Words{"a", "b"}));
  EXPECT_EQ(words(" a\u00A0"), Words{"a"});
  EXPECT_EQ(words(" \n"), Words{});
  EXPECT_EQ(words(""), Words{});
  EXPECT_EQ(words("a\tb"), (Words{"a", "b"}));
}

TEST(WordTokenizer, ItsOwnMarksAreEscaped) {
  EXPECT_EQ(words("▁ ￭x ％"), (Words{"％2581", "％FFED￭", "x", "％FF05"}));
}

TEST(WordTokenizer, NormalizesTokensAndKeepsSurfaces) {
  const auto tokens = tokenize("Ｓｔ ﬁne…", {.nfkc = true, .lowercase = true});
  EXPECT_EQ(texts_of(tokens), (Words{"st", "fine", "￭..."}));
  EXPECT_EQ(surfaces_of(tokens), (Words{"Ｓｔ", "ﬁne", "￭…"}));
}

TEST(WordTokenizer, DetokenizationIsExactButForWhiteSpace) {
  const auto tokenizer = make_tokenizer(WordTokenizerOptions{}, {});
  for (const auto& line : awkward_lines(3000, 1))
    ASSERT_EQ(tokenizer->detokenize(texts_of(tokenizer->tokenize(line))), with_plain_spaces(line));
  for (const auto& options : all_normalizations) {
    const auto normalizing = make_tokenizer(WordTokenizerOptions{}, options);
    for (const auto& line : awkward_lines(500, 2))
      ASSERT_EQ(normalizing->detokenize(surfaces_of(normalizing->tokenize(line))), with_plain_spaces(line));
  }
}

TEST(WordTokenizer, TokensFitIntoLines) {
  for (const auto& line : awkward_lines(1000, 3))
    for (const auto& token : tokenize(line, {.nfkc = true}))
      ASSERT_EQ(token.text.find_first_of(" \t\r\n"), std::string::npos) << line;
}

TEST(WordTokenizer, DetokenizesWhatAModelMayWrite) {
  const auto tokenizer = make_tokenizer(WordTokenizerOptions{}, {});
  EXPECT_EQ(tokenizer->detokenize(Words{"￭,", "a", "￭", "b", "<unk>", "", "c", "(￭", "￭)"}),
            ", ab <unk> c ()");
  // As models write that were trained when further spaces were tokens.
  EXPECT_EQ(tokenizer->detokenize(Words{"a", "▁", "▁", "b"}), "a  b");
  EXPECT_EQ(tokenizer->detokenize(Words{"％", "％00", "％0041", "a％2581"}), "％ ％00 ％0041 a▁");
}

}  // namespace
}  // namespace seq2seq
