#include "seq2seq/data/corpus_check.h"

#include <gmock/gmock.h>

#include <sstream>

#include "seq2seq/text/utf8.h"
#include "temporary_folder.h"

namespace seq2seq {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class CorpusCheckTest : public testing::Test {
 protected:
  CheckReport check(const std::string& train, const std::string& valid = {}, int64_t maximum_length = 250) {
    CheckSettings settings;
    settings.train.combined = folder.write("train.tsv", train);
    if (!valid.empty()) settings.valid.combined = folder.write("valid.tsv", valid);
    settings.maximum_length = maximum_length;
    settings.tokens_per_second = 2;
    const CheckReport report = check_corpora(settings);
    std::istringstream lines(report.text);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(utf8_characters(line).size(), 80u) << line;
    return report;
  }
  TemporaryFolder folder;
};

TEST_F(CorpusCheckTest, FindsNothingInGoodFiles) {
  const auto report = check("a b c\tx y\nd e\tz\n", "a c\tx z\n");
  EXPECT_TRUE(report.trainable);
  EXPECT_THAT(report.text, HasSubstr("Findings\n  none\n"));
  EXPECT_THAT(report.text, ContainsRegex("usable pairs +2 +1\n"));
  EXPECT_THAT(report.text, ContainsRegex("training source +2 +2 +3 +3 +3\n"));
  EXPECT_THAT(report.text, ContainsRegex("target words an epoch, with </s> +5\n"));
  EXPECT_THAT(report.text, ContainsRegex("time an epoch at 2 tokens/s +0:02\n"));
}

TEST_F(CorpusCheckTest, CountsEveryFault) {
  const auto report =
      check("a\tb\n\xFF\tb\nno tab\na\tb\xC3\nc\td\n" + std::string(maximum_line_bytes + 1, 'x') + "\n");
  EXPECT_FALSE(report.trainable);
  EXPECT_THAT(report.text, ContainsRegex("error +2 lines of invalid UTF-8 in training, the first at byte 1"));
  EXPECT_THAT(report.text, AllOf(HasSubstr("train.tsv:2"), HasSubstr("train.tsv:4"),
                                 HasSubstr("-> convert it from the encoding")));
  EXPECT_THAT(report.text, ContainsRegex("error +1 line not understood"));
  EXPECT_THAT(report.text, ContainsRegex("error +1 line over 1 MiB in training"));
  EXPECT_THAT(report.text, ContainsRegex("usable pairs +2\n"));
}

TEST_F(CorpusCheckTest, NamesTheFlagThatMendsAFinding) {
  const auto report =
      check("a b\tx\na b\tx\nc\t\n1 2 3 4 5 6 7 8 9\ty\n1 2 3 4 5 6 7 8 9 10 11 12\tz\n", "", 10);
  EXPECT_TRUE(report.trainable);
  EXPECT_THAT(report.text, ContainsRegex("1 pair repeats an earlier one [^>]*-> --remove-duplicates"));
  EXPECT_THAT(report.text, ContainsRegex("1 pair over 10 words, left out[^>]*-> --max-length 12"));
  EXPECT_THAT(report.text, ContainsRegex("1 pair with one side over 4 times [^>]*-> --max-ratio 4"));
  EXPECT_THAT(report.text, ContainsRegex("1 pair with an empty side in training[^>]*train.tsv:3"));
}

TEST_F(CorpusCheckTest, FindsOverlapAndUnknownWords) {
  const auto report = check("a b\tx\nc\ty\n", "a b\tx\nc\tq\nd e f\tx\n");
  EXPECT_TRUE(report.trainable);
  EXPECT_THAT(report.text, ContainsRegex("pairs also in training +1\n"));
  EXPECT_THAT(report.text, ContainsRegex("other sources also in training +1\n"));
  EXPECT_THAT(report.text, ContainsRegex("source \\(training has 3 types\\) +50.0% +50.0%\n"));
  EXPECT_THAT(report.text, ContainsRegex("target \\(training has 2 types\\) +33.3% +33.3%\n"));
  EXPECT_THAT(report.text, HasSubstr("50.0% of the validation's source words are unknown"));
}

TEST_F(CorpusCheckTest, CountsWhatIsUnknownToGivenVocabularies) {
  CheckSettings settings;
  settings.train.combined = folder.write("train.tsv", "a b\tx y\na c\tx q\n");
  const auto codec = [](const std::vector<std::string>& words) {
    return std::make_shared<const TextCodec>(WordTokenizerOptions{}, NormalizationOptions{}, "",
                                             Vocabulary(words));
  };
  settings.given_source = codec({"a", "b", "c"});
  settings.given_target = codec({"x", "y"});
  settings.given_remedy = "give another";
  const auto noted = check_corpora(settings);
  EXPECT_TRUE(noted.trainable);
  EXPECT_THAT(noted.text, ContainsRegex("Given vocabularies +tokens +unknown\n"
                                        "  source, first 2 pairs +4 +0.0%\n"
                                        "  target, first 2 pairs +4 +25.0%\n"));
  EXPECT_THAT(noted.text,
              ContainsRegex("note +25.0% of the target's tokens become <unk> in the first 2 pairs, "
                            "such[ \n]+as[ \n]+'q'\n +-> give another"));
  settings.maximum_unknown = 0.2;
  const auto refused = check_corpora(settings);
  EXPECT_FALSE(refused.trainable);
  EXPECT_THAT(refused.text, HasSubstr("error  25.0% of the target's"));
}

TEST_F(CorpusCheckTest, OnePairCannotAlsoBeHeldOut) {
  EXPECT_FALSE(check("a\tx\na\tx\n").trainable);
  EXPECT_THAT(check("a\tx\n").text, HasSubstr("-> give validation files"));
  EXPECT_TRUE(check("a\tx\n", "b\ty\n").trainable);
  EXPECT_TRUE(check("a\tx\nb\ty\n").trainable);
}

TEST_F(CorpusCheckTest, RefusesUnequalAndMissingFiles) {
  CheckSettings settings;
  settings.train.source = folder.write("a.en", "a\nb\nc\n");
  settings.train.target = folder.write("a.de", "a\nb\n");
  const auto unequal = check_corpora(settings);
  EXPECT_FALSE(unequal.trainable);
  EXPECT_THAT(unequal.text, ContainsRegex("a.en +has +3 +lines"));
  EXPECT_THAT(unequal.text, ContainsRegex("a.de +has +2"));

  settings.train.target = folder.path("none.de");
  const auto missing = check_corpora(settings);
  EXPECT_FALSE(missing.trainable);
  EXPECT_THAT(missing.text, HasSubstr("none.de: cannot be opened"));
  EXPECT_THAT(missing.text, Not(HasSubstr("no usable pair")));

  settings.train.target = folder.write("empty.de", "");
  EXPECT_FALSE(check_corpora(settings).trainable);
}

}  // namespace
}  // namespace seq2seq
