#include "seq2seq/train/run_log.h"

#include <gmock/gmock.h>

#include <cmath>
#include <fstream>

#include "../data/temporary_folder.h"
#include "../support/paths.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"

namespace seq2seq::test {
namespace {

namespace fs = std::filesystem;
using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsNan;
using ::testing::Pair;
using ::testing::ThrowsMessage;

constexpr double infinity = std::numeric_limits<double>::infinity();

class RunLogTest : public ::testing::Test {
 protected:
  RunLogTest() { folder.write("config.json", "{}"); }
  std::string text() const { return read_file(folder.path(RunLog::file_name)); }
  std::vector<RunLogLine> read() const { return RunLog::read(folder.path("")); }
  /// The lines read from a log with this text.
  std::vector<RunLogLine> read(const std::string& text) const {
    folder.write(RunLog::file_name, text);
    return read();
  }

  TemporaryFolder folder;
  RunLog log{folder.path("")};
};

TEST_F(RunLogTest, LinesAreThereAtOnceWithTheirKeysInOrder) {
  UpdateLine update{.update = 50, .epoch = 2, .loss = 1.5, .perplexity = infinity};
  update.gradient_norm = 0.1;
  update.learning_rate = 1e-4;
  update.target_tokens = 4321;
  update.target_tokens_per_second = 1000;
  update.seconds = 12.25;
  log.write(update);
  EXPECT_EQ(
      text(),
      R"({"type":"update","update":50,"epoch":2,"loss":1.5,"perplexity":null,"gradient_norm":0.1,)"
      R"("learning_rate":0.0001,"target_tokens":4321,"target_tokens_per_second":1000.0,"seconds":12.25})"
      "\n");
  update.coverage_loss = 0.25;
  log.write(update);
  update.data_wait_share = 0.125;
  log.write(update);
  EXPECT_THAT(text(), HasSubstr(R"("perplexity":null,"coverage_loss":0.25,"gradient_norm":0.1,)"));
  EXPECT_THAT(text(),
              HasSubstr(R"("target_tokens_per_second":1000.0,"data_wait_share":0.125,"seconds":12.25})"));
  EXPECT_EQ(lines_of<UpdateLine>(read()).back().data_wait_share, 0.125);
}

TEST_F(RunLogTest, EveryKindOfLineIsWritten) {
  log.write(ValidationLine{.update = 7,
                           .epoch = 1,
                           .target_tokens = 90,
                           .scores = {{"loss", 2.5}, {"accuracy", 12}, {"chrf++", std::nan("")}},
                           .signatures = "chrf++ nrefs:1",
                           .best = true,
                           .validation_seconds = 0.5,
                           .peak_memory_mib = 100,
                           .seconds = 3});
  log.write(GradientFlowLine{8, {.norms = {1, infinity, 0.25}, .target_steps = 2, .parameter_norm = 3}, 4});
  log.write(PrecisionLine{9, "bfloat16"});
  log.write(PairsLine{10, true, 36, 1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_EQ(
      text(),
      R"({"type":"validation","update":7,"epoch":1,"target_tokens":90,"accuracy":12.0,"chrf++":null,)"
      R"("loss":2.5,"signatures":"chrf++ nrefs:1","best":true,"validation_seconds":0.5,"peak_memory_mib":100.0,"seconds":3.0})"
      "\n"
      R"({"type":"gradient_flow","update":8,"norms":[1.0,null,0.25],"target_steps":2.0,)"
      R"("parameter_norm":3.0,"seconds":4.0})"
      "\n"
      R"({"type":"precision","update":9,"precision":"bfloat16"})"
      "\n"
      R"({"type":"pairs","update":10,"whole_epoch":true,"read":36,"trained_on":1,"waiting":2,"held_out":3,)"
      R"("held_out_copies":4,"empty":5,"too_long":6,"unlike_lengths":7,"duplicates":8})"
      "\n");
  EXPECT_EQ(lines_of<PairsLine>(read()).at(0).unlike_lengths, 7);
}

// An old log that is read and written again is the same file.
TEST_F(RunLogTest, WhatAnOlderVersionWroteIsReadWhole) {
  for (const char* run : {"rnn", "transformer"}) {
    const std::string older = tests_folder + "compatibility/14fe82e/runs/" + run;
    fs::remove(folder.path(RunLog::file_name));
    RunLog again(folder.path(""));
    for (const RunLogLine& line : RunLog::read(older)) again.write(line);
    EXPECT_EQ(text(), read_file(fs::path(older) / RunLog::file_name)) << run;
  }
  const auto validations =
      lines_of<ValidationLine>(RunLog::read(tests_folder + "compatibility/14fe82e/runs/rnn"));
  ASSERT_FALSE(validations.empty());
  EXPECT_THAT(validations.back().score("rougeL"), DoubleEq(0.005208333333333333));
}

TEST_F(RunLogTest, WhatALineLacksIsNotANumber) {
  const auto lines = read(R"({"type":"update","update":3,"loss":null,"coverage_loss":null})"
                          "\n"
                          R"({"type":"validation","update":4,"bleu":12.5,"later-metric":7,"note":"text"})"
                          "\n"
                          R"({"type":"gradient_flow","update":5,"norms":[1.0,null]})"
                          "\n");
  ASSERT_EQ(lines.size(), 3U);
  const auto& update = std::get<UpdateLine>(lines[0]);
  EXPECT_EQ(update.update, 3);
  EXPECT_THAT(update.loss, IsNan());
  EXPECT_THAT(update.seconds, IsNan());
  EXPECT_THAT(update.coverage_loss, ::testing::Optional(IsNan()));
  EXPECT_FALSE(update.data_wait_share);
  EXPECT_EQ(update.target_tokens, 0);
  const auto& validation = std::get<ValidationLine>(lines[1]);
  EXPECT_THAT(validation.scores, ElementsAre(Pair("bleu", 12.5), Pair("later-metric", 7)));
  EXPECT_THAT(validation.score("loss"), IsNan());
  EXPECT_FALSE(validation.best);
  const auto& flow = std::get<GradientFlowLine>(lines[2]).flow;
  EXPECT_THAT(flow.norms, ElementsAre(1.0, IsNan()));
  EXPECT_THAT(flow.parameter_norm, IsNan());
  EXPECT_THAT(logged_numbers(lines[1]),
              ElementsAre(Pair("update", 4), Pair("epoch", 0), Pair("target_tokens", 0), Pair("bleu", 12.5),
                          Pair("later-metric", 7)));
  EXPECT_THAT(logged_seconds(PrecisionLine{1, "float32"}), IsNan());
  EXPECT_EQ(logged_update(lines[2]), 5);
}

TEST_F(RunLogTest, WhatIsNoLineIsLeftOut) {
  EXPECT_EQ(read("{\"type\":\"update\"}\n{\"update\":1}\n[1]\n{\"type\":\"later\",\"update\":1}\n"
                 "{\"type\":7,\"update\":1}\n{\"type\":\"update\",\"update\":null}\n"
                 "{\"type\":\"update\",\"update\":2}\n{\"type\":\"upd")
                .size(),
            1U);
}

TEST_F(RunLogTest, SecondsGoOnWhereTheRunWasResumed) {
  std::string text;
  for (const char* seconds : {"100.0", "null", "110.5", "10.0", "20.0", "5.0"})
    text += std::string(R"({"type":"update","update":1,"seconds":)") + seconds + "}\n";
  std::vector<double> seconds;
  for (const UpdateLine& line : lines_of<UpdateLine>(read(text))) seconds.push_back(line.seconds);
  EXPECT_THAT(seconds, ElementsAre(100, IsNan(), 110.5, 120.5, 130.5, 135.5));
}

// Of a metric's name and of the other keys; it is one score.
TEST_F(RunLogTest, AScoreHasAKeyOfEitherSpelling) {
  log.write(ValidationLine{.update = 1, .scores = {{"copy-rate", 0.5}, {"loss", 2}}});
  EXPECT_THAT(text(), HasSubstr(R"("target_tokens":0,"copy-rate":0.5,"copy_rate":0.5,"loss":2.0,"best")"));
  EXPECT_THAT(log.history(), HasSubstr(R"("copy-rate":0.5,"copy_rate":0.5,"loss":2.0)"));
  EXPECT_THAT(std::get<ValidationLine>(read().at(0)).scores,
              ElementsAre(Pair("copy-rate", 0.5), Pair("loss", 2)));
}

TEST_F(RunLogTest, NeedsARun) {
  EXPECT_THAT([&] { read(); }, ThrowsMessage<Error>(HasSubstr("train.jsonl: is missing")));
  fs::remove(folder.path("config.json"));
  EXPECT_THAT([&] { read(); }, ThrowsMessage<Error>(HasSubstr("is not a run directory")));
}

TEST_F(RunLogTest, CutDropsWhatCameAfterTheUpdate) {
  const auto line = [](int64_t update) {
    return R"({"type":"precision","update":)" + std::to_string(update) + R"(,"precision":"float32"})" + "\n";
  };
  const auto write = [&](int64_t update) { log.write(PrecisionLine{update, "float32"}); };
  log.cut(0);  // nothing logged yet
  for (int64_t update = 1; update <= 4; ++update) write(update);
  const std::string other = R"({"type":"of a later version","update":4})";
  std::ofstream(folder.path(RunLog::file_name), std::ios::app) << other << "\n"
                                                               << R"({"type":"upd)";  // killed while writing
  log.cut(4);
  write(5);
  EXPECT_EQ(text(), line(1) + line(2) + line(3) + line(4) + other + "\n" + line(5));
  log.cut(2);
  write(3);
  EXPECT_EQ(text(), line(1) + line(2) + line(3));
}

TEST_F(RunLogTest, AnExtraValidationIsTheBestOnlyWhileTheRunRests) {
  log.write(ValidationLine{.update = 4, .best = true});
  log.write(ValidationLine{.update = 6, .best = true, .extra = true, .validation_seconds = 0.25});
  EXPECT_THAT(text(), HasSubstr(R"("best":true,"extra":true,"validation_seconds":0.25,)"));
  const std::string before = text();
  const auto best = [&] {
    std::vector<bool> all;
    for (const ValidationLine& line : lines_of<ValidationLine>(read())) all.push_back(line.best);
    return all;
  };
  EXPECT_THAT(best(), ElementsAre(true, true));
  EXPECT_EQ(lines_of<ValidationLine>(read()).back().extra, true);
  log.cut(6);
  EXPECT_THAT(best(), ElementsAre(true, false));
  EXPECT_EQ(text().size(), before.size() + 1);  // nothing else has changed
  EXPECT_EQ(lines_of<ValidationLine>(read()).front().extra, std::nullopt);
}

TEST_F(RunLogTest, CutDropsPairsThatWereCountedInTheMiddle) {
  log.write(PairsLine{.update = 2, .whole_epoch = true});
  const std::string whole = text();
  log.write(PairsLine{.update = 2, .whole_epoch = false});
  log.cut(2);
  EXPECT_EQ(text(), whole);
}

TEST_F(RunLogTest, HistoryHasTheScoresOfAllValidations) {
  EXPECT_EQ(log.history(), "[]");
  log.write(UpdateLine{.update = 1});
  log.write(
      ValidationLine{.update = 1, .target_tokens = 9, .scores = {{"loss", 2}}, .best = true, .seconds = 8});
  log.write(
      ValidationLine{.update = 2, .target_tokens = 18, .scores = {{"loss", std::nan("")}}, .seconds = 3});
  EXPECT_EQ(log.history(), R"([{"update":1,"epoch":0,"target_tokens":9,"loss":2.0,"seconds":8.0},)"
                           R"({"update":2,"epoch":0,"target_tokens":18,"loss":null,"seconds":3.0}])");
}

}  // namespace
}  // namespace seq2seq::test
