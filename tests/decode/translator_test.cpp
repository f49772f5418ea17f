#include "seq2seq/decode/translator.h"

#include <gmock/gmock.h>

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

TEST(Translator, FailuresOfWorkersAreReported) {
  std::vector<std::unique_ptr<Scorer>> scorers;
  for (int i = 0; i < 2; ++i)
    scorers.push_back(
        std::make_unique<TableScorer>(8, [](int64_t, const Words&) -> std::map<int64_t, double> {
          return {{4, std::numeric_limits<double>::quiet_NaN()}};
        }));
  PoolAndTranslator translator(std::move(scorers), {.search = {}, .batch_size = 1});
  EXPECT_THROW(translator.translate(lines_of({"a", "b", "c"})), Error);
}

TEST(Translator, BatchInvariantMeansOneByOne) {
  auto scorer = echo_scorer();
  const TableScorer& used = *scorer;
  PoolAndTranslator translator(list_of(std::move(scorer)), {.batch_size = 32, .batch_invariant = true});
  EXPECT_EQ(translator.texts({"b", "a b c", "c a"}), (std::vector<std::string>{"b b", "a a", "c c"}));
  EXPECT_EQ(used.batches, 3);
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
  EXPECT_THAT([] { PoolAndTranslator({.ban = {"Zebra"}}); },
              testing::ThrowsMessage<UsageError>(testing::HasSubstr("the target vocabulary lacks 'Zebra'")));
  EXPECT_THAT([] { PoolAndTranslator({.bias = {"a"}}); },
              testing::ThrowsMessage<UsageError>(testing::HasSubstr("is not text=number")));
  EXPECT_NE(PoolAndTranslator({.ban = {"b b"}}).texts({"b"}).front().substr(0, 3), "b b");
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
