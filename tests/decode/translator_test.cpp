#include "seq2seq/decode/translator.h"

#include <gmock/gmock.h>

#include "decode_support.h"
#include "seq2seq/core/error.h"

namespace seq2seq {
namespace {

using testing::HasSubstr;

// Ids: a 4, b 5, c 6, d 7.
TextCodecs letters() {
  const auto codec = std::make_shared<const TextCodec>(WordTokenizerOptions{}, NormalizationOptions{}, "",
                                                       Vocabulary({"a", "b", "c", "d"}));
  return {codec, codec, {}};
}

/// Writes the source's first word twice (an unknown word as <unk>), looking at the source's positions in
/// turn.
std::unique_ptr<TableScorer> echo_scorer() {
  return std::make_unique<TableScorer>(
      8,
      [](int64_t first, const Words& prefix) -> std::map<int64_t, double> {
        return prefix.size() < 2 ? std::map<int64_t, double>{{first, -0.5}, {7, -3.0}}
                                 : std::map<int64_t, double>{{Vocabulary::end, -0.25}, {7, -3.0}};
      },
      [](const Words& prefix) { return static_cast<int64_t>(prefix.size()); });
}

Translator make_translator(const TranslatorOptions& options = {}, int64_t maximum_length = 10,
                           int workers = 1) {
  std::vector<std::unique_ptr<Scorer>> scorers;
  for (int i = 0; i < workers; ++i) scorers.push_back(echo_scorer());
  return Translator(letters(), maximum_length, std::move(scorers), options);
}

std::vector<SourceLine> lines_of(const std::vector<std::string>& texts) {
  std::vector<SourceLine> lines;
  for (const auto& text : texts) lines.push_back({text, {}, "in:" + std::to_string(lines.size() + 1), {}});
  return lines;
}

std::vector<std::string> best_texts(const std::vector<Translation>& translations) {
  std::vector<std::string> texts;
  for (const auto& translation : translations) texts.push_back(translation.outputs.front().text);
  return texts;
}

TEST(Translator, RestoresTheOrderOfTheLines) {
  const auto lines = lines_of({"b", "a b c d", "c a", "a", "d c b", "c"});
  for (const int64_t batch_size : {1, 2, 4, 32})
    for (const int workers : {1, 3}) {
      Translator translator = make_translator({.search = {}, .batch_size = batch_size}, 10, workers);
      EXPECT_EQ(best_texts(translator.translate(lines)),
                (std::vector<std::string>{"b b", "a a", "c c", "a a", "d d", "c c"}));
      EXPECT_EQ(translator.counts().lines, 6);
      EXPECT_EQ(translator.counts().output_tokens, 12);
    }
}

TEST(Translator, EmptyLinesDoNotRunTheModel) {
  auto scorer = echo_scorer();
  const TableScorer& used = *scorer;
  std::vector<std::unique_ptr<Scorer>> scorers;
  scorers.push_back(std::move(scorer));
  Translator translator(letters(), 10, std::move(scorers), {});
  EXPECT_EQ(best_texts(translator.translate(lines_of({"", " \t "}))), (std::vector<std::string>{"", ""}));
  EXPECT_EQ(used.batches, 0);
  EXPECT_EQ(best_texts(translator.translate(lines_of({"", "a", ""}))),
            (std::vector<std::string>{"", "a a", ""}));
  EXPECT_EQ(used.batches, 1);
}

TEST(Translator, BadLinesGiveEmptyOutputAndAMessage) {
  auto lines = lines_of({"a", "", "b"});
  lines[1].problem = "in:2: byte 1 is not valid UTF-8";
  Translator translator = make_translator();
  testing::internal::CaptureStderr();
  EXPECT_EQ(best_texts(translator.translate(lines)), (std::vector<std::string>{"a a", "", "b b"}));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("in:2: byte 1 is not valid UTF-8"));
  EXPECT_EQ(translator.counts().bad_lines, 1);
}

TEST(Translator, UnknownWordsBecomeTheAttendedSourceWords) {
  EXPECT_EQ(best_texts(make_translator().translate(lines_of({"Zebra b"}))),
            std::vector<std::string>{"Zebra b"});
  EXPECT_EQ(
      best_texts(make_translator({.search = {}, .replace_unknown = false}).translate(lines_of({"Zebra b"}))),
      std::vector<std::string>{"<unk> <unk>"});
}

// The second step looks at </s>, which is never written.
TEST(Translator, TheEndOfTheSourceIsNeverCopied) {
  EXPECT_EQ(best_texts(make_translator().translate(lines_of({"Zebra"}))),
            std::vector<std::string>{"Zebra Zebra"});
}

TEST(Translator, LongLinesAreCutWithOneWarning) {
  Translator translator = make_translator({}, 3);
  testing::internal::CaptureStderr();
  EXPECT_EQ(best_texts(translator.translate(lines_of({"a b c", "b c d a", "c d a b a"}))),
            (std::vector<std::string>{"a a", "b b", "c c"}));
  const std::string messages = testing::internal::GetCapturedStderr();
  EXPECT_THAT(messages, HasSubstr("in:2: cut from 4 to 3 tokens"));
  EXPECT_EQ(std::count(messages.begin(), messages.end(), '\n'), 1);
  EXPECT_EQ(translator.counts().cut_lines, 2);
}

TEST(Translator, FormatsScoresAndNBestLists) {
  Translator translator =
      make_translator({.search = {.beam_size = 2, .n_best = 2, .length_penalty = LengthPenalty::none}});
  const auto found = translator.translate(lines_of({"a", ""}));
  EXPECT_EQ(format_translation(found[0], 7, 2, false), "7 ||| a a ||| -1.2500\n7 ||| a d ||| -3.7500\n");
  EXPECT_EQ(format_translation(found[1], 8, 2, false), "8 |||  ||| 0.0000\n");
  EXPECT_EQ(format_translation(found[0], 7, 1, true), "-1.2500\ta a\n");
  EXPECT_EQ(format_translation(found[0], 7, 1, false), "a a\n");
}

TEST(Translator, FailuresOfWorkersAreReported) {
  std::vector<std::unique_ptr<Scorer>> scorers;
  for (int i = 0; i < 2; ++i)
    scorers.push_back(
        std::make_unique<TableScorer>(8, [](int64_t, const Words&) -> std::map<int64_t, double> {
          return {{4, std::numeric_limits<double>::quiet_NaN()}};
        }));
  Translator translator(letters(), 10, std::move(scorers), {.search = {}, .batch_size = 1});
  EXPECT_THROW(translator.translate(lines_of({"a", "b", "c"})), Error);
}

TEST(Translator, BatchInvariantMeansOneByOne) {
  auto scorer = std::make_unique<TableScorer>(*echo_scorer());
  TableScorer* counting = scorer.get();
  std::vector<std::unique_ptr<Scorer>> scorers;
  scorers.push_back(std::move(scorer));
  Translator translator(letters(), 10, std::move(scorers), {.batch_size = 32, .batch_invariant = true});
  EXPECT_EQ(best_texts(translator.translate(lines_of({"b", "a b c", "c a"}))),
            (std::vector<std::string>{"b b", "a a", "c c"}));
  EXPECT_EQ(counting->batches, 3);
}

// The model is another one when it is asked again.
class FickleScorer : public TableScorer {
 public:
  using TableScorer::TableScorer;
  Forced force(const Tensor& inputs, const Tensor& outputs) override {
    Forced forced = TableScorer::force(inputs, outputs);
    forced.log_probabilities = forced.log_probabilities - 0.01;
    return forced;
  }
};

TEST(Translator, VerifyFindsScoresThatAreNotTheModels) {
  const TranslatorOptions options{.verify = true};
  Translator honest = make_translator(options);
  honest.translate(lines_of({"b", "", "c a"}));
  EXPECT_EQ(honest.counts().unequal, 0);
  std::vector<std::unique_ptr<Scorer>> scorers;
  scorers.push_back(std::make_unique<FickleScorer>(9, [](int64_t first, const Words&) {
    return std::map<int64_t, double>{{first, -0.7}, {Vocabulary::end, -0.7}};
  }));
  Translator fickle(letters(), 10, std::move(scorers), options);
  fickle.translate(lines_of({"b", "", "c a"}));
  EXPECT_EQ(fickle.counts().unequal, 2);
}

TEST(Translator, TextsOfRulesMustBeInTheVocabulary) {
  EXPECT_THAT([] { make_translator({.ban = {"Zebra"}}); },
              testing::ThrowsMessage<UsageError>(testing::HasSubstr("the target vocabulary lacks 'Zebra'")));
  EXPECT_THAT([] { make_translator({.bias = {"a"}}); },
              testing::ThrowsMessage<UsageError>(testing::HasSubstr("is not text=number")));
  EXPECT_EQ(
      best_texts(make_translator({.ban = {"b b"}}).translate(lines_of({"b"}))).front().substr(0, 3) == "b b",
      false);
}

TEST(Translator, TellsOfTokensAndAlignments) {
  Translator translator = make_translator({.search = {.length_penalty = LengthPenalty::none}});
  const auto translation = translator.translate(lines_of({"b c"})).front();
  EXPECT_EQ(pharaoh_alignment(translation.outputs.front().source_positions), "0-0 1-1");
  EXPECT_EQ(details_json(translation, translation.outputs.front(), letters().target->vocabulary(), 7, 0),
            R"({"line":7,"output":0,"text":"b b","score":-1.25,"log_probability":-1.25,"source":["b","c"],)"
            R"("tokens":["b","b"],"token_log_probabilities":[-0.5,-0.5,-0.25],"alignment":[[0,0],[1,1]]})"
            "\n");
}

}  // namespace
}  // namespace seq2seq
