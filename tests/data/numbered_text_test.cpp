#include "seq2seq/data/numbered_text.h"

#include <gmock/gmock.h>

namespace seq2seq {
namespace {

using testing::ElementsAre;

// Ids: the 4, cat 5, sees 6.
TextCodec words() {
  return {WordTokenizerOptions{}, NormalizationOptions{}, "", Vocabulary({"the", "cat", "sees"})};
}

TEST(SplitSentences, EndAtMarksBeforeSpaceAndNoSmallLetter) {
  EXPECT_THAT(split_sentences("One. Two! Three? Four"), ElementsAre("One.", "Two!", "Three?", "Four"));
  EXPECT_THAT(split_sentences("It costs 3.5 euros. Buy it."), ElementsAre("It costs 3.5 euros.", "Buy it."));
  EXPECT_THAT(split_sentences("He said \"no.\" Then he left."),
              ElementsAre("He said \"no.\"", "Then he left."));
  EXPECT_THAT(split_sentences("Use e.g. this. Dr. J. Smith left."),
              ElementsAre("Use e.g. this.", "Dr.", "J. Smith left."));
  EXPECT_THAT(split_sentences("One.  Two."), ElementsAre("One.", "Two."));
  EXPECT_THAT(split_sentences("One.\nTwo.\r\nThree."), ElementsAre("One.", "Two.", "Three."));
  EXPECT_THAT(split_sentences("End. "), ElementsAre("End. "));
  EXPECT_THAT(split_sentences(""), ElementsAre(""));
}

TEST(NumberSource, UnknownWordsAreToldApartOnlyForCopying) {
  const TextCodec codec = words();
  EXPECT_THAT(number_source(codec, "the dog sees dog fox", {}, {}).ids, ElementsAre(4, 1, 6, 1, 1));
  const TextForm copying{.copying = true, .sentences = false, .sentence_separator = ""};
  EXPECT_THAT(number_source(codec, "the dog sees dog fox", {}, copying).ids, ElementsAre(4, 8, 6, 8, 11));
}

TEST(NumberSource, SentencesAreSeparatedByTheBeginMark) {
  const TextCodec codec = words();
  TextForm form{.copying = true, .sentences = true, .sentence_separator = ""};
  const std::vector<std::string> given{"the cat", "", "dog"};
  const NumberedSource source = number_source(codec, "ignored", given, form);
  EXPECT_THAT(source.ids, ElementsAre(4, 5, 2, 2, 11));
  ASSERT_EQ(source.tokens.size(), 5U);
  EXPECT_EQ(source.tokens[4].surface, "dog");
  form.sentence_separator = "||";
  EXPECT_THAT(number_source(codec, "the||cat", {}, form).ids, ElementsAre(4, 2, 5));
  EXPECT_THAT(number_source(codec, " the || || cat ||", {}, form).ids, ElementsAre(4, 2, 5));
  form.sentence_separator = "";
  EXPECT_THAT(number_source(codec, "the cat! The", {}, form).ids, ElementsAre(4, 5, 9, 2, 11));
}

TEST(NumberSource, WhiteSpaceAloneIsNoText) {
  const TextCodec codec = words();
  const NumberedSource source = number_source(codec, " \t ", {}, {});
  EXPECT_THAT(source.ids, testing::IsEmpty());
  EXPECT_THAT(number_target(codec, "  ", source, {}), testing::IsEmpty());
  EXPECT_THAT(number_source(codec, "\u00A0\u3000", {}, {}).ids, testing::IsEmpty());
  EXPECT_THAT(number_target(codec, "\u2003", source, {}), testing::IsEmpty());
  EXPECT_THAT(number_source(codec, "the\ncat\u00A0", {}, {}).ids, ElementsAre(4, 5));
}

TEST(NumberSource, IsCutWhereItShould) {
  const NumberedSource source = number_source(words(), "the dog sees", {}, {}, 2);
  EXPECT_THAT(source.ids, ElementsAre(4, 1));
  EXPECT_EQ(source.tokens.size(), 2U);
  EXPECT_EQ(source.whole_length, 3);
}

TEST(NumberTarget, CopiesWhatTheSourceHas) {
  const TextCodec codec = words();
  const TextForm copying{.copying = true, .sentences = false, .sentence_separator = ""};
  const NumberedSource source = number_source(codec, "the dog sees dog fox", {}, copying);
  EXPECT_THAT(number_target(codec, "fox sees dog owl", source, copying), ElementsAre(11, 6, 8, 1));
  EXPECT_THAT(number_target(codec, "fox sees dog owl", source, {}), ElementsAre(1, 6, 1, 1));
}

}  // namespace
}  // namespace seq2seq
