#include "seq2seq/text/white_space.h"

#include <gtest/gtest.h>

#include "seq2seq/text/text_codec.h"
#include "text_support.h"

namespace seq2seq {
namespace {

TEST(WhiteSpace, ARunIsOneSpaceAndEndsHaveNone) {
  EXPECT_EQ(with_plain_spaces("a b"), "a b");
  EXPECT_EQ(with_plain_spaces(" a  b "), "a b");
  EXPECT_EQ(with_plain_spaces("a\tb\nc\r\nd\ve\ff"), "a b c d e f");
  EXPECT_EQ(with_plain_spaces("a\u00A0b\u3000c\u2009 \u202Fd\u2028e\u0085f\u1680g\u205Fh"),
            "a b c d e f g h");
  EXPECT_EQ(with_plain_spaces("\u00A0a\u3000"), "a");
  EXPECT_EQ(with_plain_spaces(" \n\u00A0\u3000"), "");
  EXPECT_EQ(with_plain_spaces(""), "");
  // Neighbours of these bytes are text.
  EXPECT_EQ(with_plain_spaces("\u00A1\u0084\u2010\u3001\uFEFE\u2581"),
            "\u00A1\u0084\u2010\u3001\uFEFE\u2581");
}

TEST(WhiteSpace, CharactersWithoutWidthStayBetweenOthersOnly) {
  EXPECT_EQ(with_plain_spaces("\uFEFFa\u200B b \u2060"), "a b");
  EXPECT_EQ(with_plain_spaces("a\u200Bb"), "a\u200Bb");
  EXPECT_EQ(with_plain_spaces("a\u200B\u00A0\uFEFFb"), "a b");
  EXPECT_EQ(with_plain_spaces("\u200B"), "");
}

TEST(WhiteSpace, IsPlainWhereNothingChanges) {
  for (const std::string text : {"", "a", "a b", "a\u200Bb", "日本 語"})
    EXPECT_TRUE(has_plain_spaces(text)) << text;
  for (const std::string text : {" ", " a", "a ", "a  b", "a\tb", "a\u00A0b", "\uFEFFa", "a\u200B"})
    EXPECT_FALSE(has_plain_spaces(text)) << text;
  for (const std::string& line : awkward_lines(3000, 11)) {
    const std::string plain = with_plain_spaces(line);
    EXPECT_EQ(has_plain_spaces(line), plain == line) << line;
    EXPECT_EQ(with_plain_spaces(plain), plain) << line;
  }
}

// However the white space of a text is written, words and subwords are the same; characters are not.
TEST(WhiteSpace, IsAlikeForTokenizers) {
  const std::string forms[] = {" a b c. ", "a  b\tc.", "a\u00A0b\nc.\n", "\u3000a\u2003b\u2028c.",
                               "\uFEFFa b\u200B c."};
  for (const TokenizerOptions& options :
       {TokenizerOptions(WordTokenizerOptions{}), TokenizerOptions(WhitespaceTokenizerOptions{})})
    for (const NormalizationOptions& normalization : all_normalizations) {
      const auto tokenizer = make_tokenizer(options, normalization);
      EXPECT_FALSE(tokenizer->keeps_white_space());
      for (const std::string& form : forms)
        EXPECT_EQ(tokenizer->tokenize(form), tokenizer->tokenize("a b c.")) << form;
    }
  const auto characters = make_tokenizer(CharTokenizerOptions{}, {});
  EXPECT_TRUE(characters->keeps_white_space());
  EXPECT_EQ(characters->detokenize(texts_of(characters->tokenize(" a\u00A0b\n"))), " a\u00A0b\n");
}

}  // namespace
}  // namespace seq2seq
