#include "seq2seq/decode/translator.h"

#include <gmock/gmock.h>

#include <limits>

#include "decode_support.h"
#include "seq2seq/core/error.h"
#include "seq2seq/decode/pool.h"

namespace seq2seq {
namespace {

using testing::HasSubstr;

/// A translator with its own pool.
struct PoolAndTranslator {
  PoolAndTranslator(std::vector<std::unique_ptr<Scorer>> scorers, const TranslatorOptions& options,
                    int64_t maximum_length = 10)
      : pool(std::move(scorers)), translator(letters(), maximum_length, pool, options) {}
  explicit PoolAndTranslator(const TranslatorOptions& options = {}, int64_t maximum_length = 10,
                             int workers = 1)
      : PoolAndTranslator(echo_scorers(workers), options, maximum_length) {}

  std::vector<Translation> translate(const std::vector<SourceLine>& lines) {
    return translator.translate(lines);
  }
  std::vector<std::string> texts(const std::vector<std::string>& lines) {
    return best_texts(translate(lines_of(lines)));
  }
  const Translator::Counts& counts() const { return translator.counts(); }

  DecodingPool pool;
  Translator translator;
};

TEST(Translator, RestoresTheOrderOfTheLines) {
  const auto lines = lines_of({"b", "a b c d", "c a", "a", "d c b", "c"});
  for (const int64_t batch_size : {1, 2, 4, 32})
    for (const int workers : {1, 3}) {
      PoolAndTranslator translator({.search = {}, .batch_size = batch_size}, 10, workers);
      EXPECT_EQ(best_texts(translator.translate(lines)),
                (std::vector<std::string>{"b b", "a a", "c c", "a a", "d d", "c c"}));
      EXPECT_EQ(translator.counts().lines, 6);
      EXPECT_EQ(translator.counts().output_tokens, 12);
    }
}

TEST(Translator, EmptyLinesDoNotRunTheModel) {
  auto scorer = echo_scorer();
  const TableScorer& used = *scorer;
  PoolAndTranslator translator(list_of(std::move(scorer)), {});
  EXPECT_EQ(translator.texts({"", " \t "}), (std::vector<std::string>{"", ""}));
  EXPECT_EQ(used.batches, 0);
  EXPECT_EQ(translator.texts({"", "a", ""}), (std::vector<std::string>{"", "a a", ""}));
  EXPECT_EQ(used.batches, 1);
}

TEST(Translator, WhiteSpaceMakesNoDifferenceAndIsToldOnce) {
  PoolAndTranslator translator;
  testing::internal::CaptureStderr();
  EXPECT_EQ(translator.texts({"b a", " b a", "b\u00A0a", "b\na ", "\u3000"}),
            (std::vector<std::string>{"b b", "b b", "b b", "b b", ""}));
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_THAT(told, HasSubstr("its white space is read as single spaces, as in all lines"));
  EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 1) << told;
}

TEST(Translator, BadLinesGiveEmptyOutputAndAMessage) {
  auto lines = lines_of({"a", "", "b"});
  lines[1].problem = "in:2: byte 1 is not valid UTF-8";
  PoolAndTranslator translator;
  testing::internal::CaptureStderr();
  EXPECT_EQ(best_texts(translator.translate(lines)), (std::vector<std::string>{"a a", "", "b b"}));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("in:2: byte 1 is not valid UTF-8"));
  EXPECT_EQ(translator.counts().bad_lines, 1);
}

TEST(Translator, UnknownWordsBecomeTheAttendedSourceWords) {
  EXPECT_EQ(PoolAndTranslator().texts({"Zebra b"}), std::vector<std::string>{"Zebra b"});
  EXPECT_EQ(PoolAndTranslator({.search = {}, .replace_unknown = false}).texts({"Zebra b"}),
            std::vector<std::string>{"<unk> <unk>"});
}

// The second step attends to </s>, which is never copied.
TEST(Translator, TheEndOfTheSourceIsNeverCopied) {
  EXPECT_EQ(PoolAndTranslator().texts({"Zebra"}), std::vector<std::string>{"Zebra Zebra"});
}

TEST(Translator, LongLinesAreCutWithOneWarning) {
  PoolAndTranslator translator({}, 3);
  testing::internal::CaptureStderr();
  EXPECT_EQ(translator.texts({"a b c", "b c d a", "c d a b a"}),
            (std::vector<std::string>{"a a", "b b", "c c"}));
  const std::string messages = testing::internal::GetCapturedStderr();
  EXPECT_THAT(messages, HasSubstr("in:2: cut from 4 to 3 tokens"));
  EXPECT_EQ(std::count(messages.begin(), messages.end(), '\n'), 1);
  EXPECT_EQ(translator.counts().cut_lines, 2);
}

/// Generates what the source begins with; its probabilities are not numbers where that is b.
std::unique_ptr<TableScorer> broken_for_b() {
  return std::make_unique<TableScorer>(
      8, [](int64_t first, const Words& prefix) -> std::map<int64_t, double> {
        if (!prefix.empty()) return {{Vocabulary::end, 0.0}};
        return {{first, first == 5 ? std::numeric_limits<double>::quiet_NaN() : -0.5}};
      });
}

TEST(Translator, ABrokenSentenceLosesItsLineAlone) {
  for (const int64_t batch_size : {1, 4}) {
    PoolAndTranslator translator(list_of(broken_for_b()), {.search = {}, .batch_size = batch_size});
    testing::internal::CaptureStderr();
    const auto found = translator.translate(lines_of({"a", "b", "c"}));
    EXPECT_THAT(
        testing::internal::GetCapturedStderr(),
        HasSubstr("in:2: has no output: the model's probabilities are not numbers (NaN); use another"));
    EXPECT_EQ(best_texts(found), (std::vector<std::string>{"a", "", "c"}));
    EXPECT_TRUE(found[0].answered());
    EXPECT_FALSE(found[1].answered());
    EXPECT_EQ(translator.counts().without_output, 1);
  }
}

TEST(Translator, BatchInvariantMeansOneByOne) {
  auto scorer = echo_scorer();
  const TableScorer& used = *scorer;
  PoolAndTranslator translator(list_of(std::move(scorer)), {.batch_size = 32, .batch_invariant = true});
  EXPECT_EQ(translator.texts({"b", "a b c", "c a"}), (std::vector<std::string>{"b b", "a a", "c c"}));
  EXPECT_EQ(used.batches, 3);
}

TEST(Translator, DecodesAndVerifiesNoMoreSourceTokensTogetherThanAsked) {
  auto scorer = echo_scorer();
  const TableScorer& used = *scorer;
  PoolAndTranslator translator(list_of(std::move(scorer)), {.max_batch_tokens = 8});
  const std::vector<std::string> lines{"b", "a b c d", "c a", "", "a"};
  EXPECT_EQ(translator.texts(lines), (std::vector<std::string>{"b b", "a a", "c c", "", "a a"}));
  EXPECT_EQ(used.batches, 3);  // 5 tokens with </s>; 2 times 3; 2

  auto verifying = echo_scorer();
  const TableScorer& twice = *verifying;
  PoolAndTranslator verified(list_of(std::move(verifying)), {.max_batch_tokens = 8, .verify = true});
  EXPECT_EQ(verified.texts(lines), (std::vector<std::string>{"b b", "a a", "c c", "", "a a"}));
  EXPECT_EQ(verified.counts().unequal, 0);
  EXPECT_EQ(twice.batches, 6);
}

// Scores outputs differently the second time.
class FickleScorer : public TableScorer {
 public:
  using TableScorer::TableScorer;
  TargetScores score_targets(const Tensor& inputs, const Tensor& outputs) override {
    TargetScores scores = TableScorer::score_targets(inputs, outputs);
    scores.log_probabilities = scores.log_probabilities - 0.01;
    return scores;
  }
};

TEST(Translator, VerifyFindsScoresThatAreNotTheModels) {
  const TranslatorOptions options{.verify = true};
  PoolAndTranslator honest(options);
  honest.translate(lines_of({"b", "", "c a"}));
  EXPECT_EQ(honest.counts().unequal, 0);
  PoolAndTranslator fickle(list_of(std::make_unique<FickleScorer>(
                               9,
                               [](int64_t first, const Words&) {
                                 return std::map<int64_t, double>{{first, -0.7}, {Vocabulary::end, -0.7}};
                               })),
                           options);
  fickle.translate(lines_of({"b", "", "c a"}));
  EXPECT_EQ(fickle.counts().unequal, 2);
}

TEST(Translator, TextsOfRulesMustBeInTheVocabulary) {
  const auto refused = [](const TranslatorOptions& options, const std::string& message) {
    EXPECT_THAT([&] { PoolAndTranslator translator(options); },
                testing::ThrowsMessage<UsageError>(HasSubstr(message)));
  };
  refused({.ban = {"Zebra"}}, "--ban: 'Zebra': the target vocabulary lacks 'Zebra'");
  refused({.ban = {"Zebra"}}, "give --ban-unknown");
  refused({.bias = {"Zebra=1"}}, "lacks 'Zebra'; leave it out");
  refused({.ban = {" \t"}}, "has no token");
  refused({.bias = {"a"}}, "is not text=number");
  EXPECT_NE(PoolAndTranslator({.ban = {"b b"}}).texts({"b"}).front().substr(0, 3), "b b");
  for (const char* number : {"0x10", "nan", "inf", "1e999", "", "1 ", "--1", "1,5"})
    refused({.bias = {std::string("a=") + number}}, "is not text=number");
  for (const char* number : {"+1.5", "-2", "1e-2", ".5"})
    EXPECT_NO_THROW(PoolAndTranslator({.bias = {std::string("a=") + number}})) << number;
}

// They would end outputs, or never let them end.
TEST(Translator, SpecialTokensAreTextLikeAnyOther) {
  const std::vector<std::string> specials{"</s>", "<s>", "<pad>", "<unk>"};
  for (const std::string& special : specials) {
    const std::string remedy = special == "<unk>" ? "give --ban-unknown" : "lacks '";
    EXPECT_THAT([&] { PoolAndTranslator translator({.ban = {special}}); },
                testing::ThrowsMessage<UsageError>(HasSubstr(remedy)));
    EXPECT_THROW(PoolAndTranslator({.bias = {special + "=-50"}}), UsageError);
    EXPECT_THROW(PoolAndTranslator({.repeatable = {special}}), UsageError);
    auto lines = lines_of({"a", "b"});
    lines[0].prefix = special;
    lines[0].prefix_place = "prefixes:1";
    PoolAndTranslator translator;
    testing::internal::CaptureStderr();
    EXPECT_EQ(best_texts(translator.translate(lines)), (std::vector<std::string>{"", "b b"}));
    EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("prefixes:1: the prefix has '"));
  }
}

TEST(Translator, ABadPrefixOrRequiredPhraseLosesItsLineAlone) {
  auto lines = lines_of({"a", "b", "c", "", "d"});
  lines[0].prefix = "a Zebra";
  lines[1].prefix = " b   c ";
  lines[2].required = {"a", "d Zebra"};
  lines[3].prefix = "a";
  lines[4].required = {"d", "c  a"};
  for (size_t i = 0; i < lines.size(); ++i) {
    lines[i].prefix_place = "p.txt:" + std::to_string(i + 1);
    lines[i].required_place = "r.txt:" + std::to_string(i + 1);
  }
  PoolAndTranslator translator({.search = {.max_length = 6}});
  testing::internal::CaptureStderr();
  const auto found = translator.translate(lines);
  const std::string messages = testing::internal::GetCapturedStderr();
  EXPECT_THAT(messages, HasSubstr("p.txt:1: the prefix has 'Zebra', which the model cannot write"));
  EXPECT_THAT(messages, HasSubstr("r.txt:3: the required 'd Zebra' has 'Zebra', which the model cannot"));
  EXPECT_THAT(messages, HasSubstr("p.txt:4: asks for text in the output of in:4, which is empty"));
  EXPECT_EQ(translator.counts().bad_lines, 3);
  EXPECT_EQ(found[0].outputs.front().text, "");
  EXPECT_TRUE(found[1].outputs.front().text.starts_with("b c")) << found[1].outputs.front().text;
  EXPECT_EQ(found[2].outputs.front().text, "");
}

TEST(Translator, RequiredPhrasesThatCannotBeMetAreTold) {
  const auto with = [](const TranslatorOptions& options, const std::string& phrase,
                       Translator::Counts& counts) {
    auto lines = lines_of({"a", "b"});
    lines[0].required = {phrase};
    lines[0].required_place = "r.txt:1";
    PoolAndTranslator translator(options);
    testing::internal::CaptureStderr();
    const auto found = translator.translate(lines);
    counts = translator.counts();
    EXPECT_EQ(found[1].outputs.front().text, "b b");
    return std::pair(found[0].outputs.front(), testing::internal::GetCapturedStderr());
  };
  Translator::Counts counts;
  EXPECT_THAT(with({.ban = {"d"}}, "a d", counts).second,
              HasSubstr("r.txt:1: the required 'a d' is what --ban forbids"));
  EXPECT_EQ(counts.bad_lines, 1);
  EXPECT_THAT(
      with({.search = {.max_length = 2}}, "a a a", counts).second,
      HasSubstr("r.txt:1: the required 'a a a' has 3 tokens, but the output at most 2; give --max-length 3"));
  EXPECT_EQ(counts.bad_lines, 1);
  // c has no probability.
  const auto [output, messages] = with({}, "a c", counts);
  EXPECT_THAT(messages, HasSubstr("r.txt:1: the output lacks 'a c'"));
  EXPECT_EQ(output.missing_texts, std::vector<std::string>{"a c"});
  EXPECT_EQ(counts.unmet, 1);
  EXPECT_EQ(counts.bad_lines, 0);
}

TEST(Translator, AnImpossiblePrefixIsTold) {
  auto lines = lines_of({"a", "b"});
  lines[0].prefix = "d a";
  PoolAndTranslator translator({.ban = {"a"}});
  testing::internal::CaptureStderr();
  translator.translate(lines);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("the prefix 'd a' holds what --ban forbids"));
}

TEST(Translator, FewerOutputsOfGroupsAreCounted) {
  PoolAndTranslator few({.search = {.beam_size = 8, .n_best = 8, .max_length = 3, .beam_groups = 2}});
  few.translate(lines_of({"a", ""}));
  EXPECT_EQ(few.counts().fewer, 1);  // of a and d three can be made only, and no shorter output
  PoolAndTranslator enough({.search = {.beam_size = 2, .n_best = 2, .beam_groups = 2}});
  const auto found = enough.translate(lines_of({"a"}));
  EXPECT_EQ(enough.counts().fewer, 0);
  EXPECT_EQ(found[0].outputs.size(), 2U);
  EXPECT_NE(found[0].outputs[0].text, found[0].outputs[1].text);
}

// As in a program that serves several users.
TEST(Translator, SeveralShareAPool) {
  DecodingPool pool(echo_scorers(2));
  Translator best(letters(), 10, pool, {}),
      two(letters(), 3, pool, {.search = {.beam_size = 2, .n_best = 2}, .replace_unknown = false});
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(best_texts(best.translate(lines_of({"b", "Zebra"}))),
              (std::vector<std::string>{"b b", "Zebra Zebra"}));
    const auto found = two.translate(lines_of({"c", "Zebra a"}));
    EXPECT_EQ(best_texts(found), (std::vector<std::string>{"c c", "<unk> <unk>"}));
    EXPECT_EQ(found[0].outputs.size(), 2U);
  }
  EXPECT_EQ(best.counts().lines, 4);
}

}  // namespace
}  // namespace seq2seq
