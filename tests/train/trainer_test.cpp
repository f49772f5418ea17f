#include "seq2seq/train/trainer.h"

#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "../data/temporary_folder.h"
#include "../support/compare.h"
#include "../support/shadow_device.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/json.h"
#include "seq2seq/core/log.h"
#include "seq2seq/text/vocabulary.h"
#include "seq2seq/train/training_state.h"
#include "training_support.h"

namespace seq2seq::test {
namespace {

namespace fs = std::filesystem;
using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pointwise;
using ::testing::StartsWith;

/// Twelve pairs: three batches per epoch.
class TrainerTest : public ::testing::Test {
 protected:
  TrainerTest() {
    set_log_level(LogLevel::quiet);
    const auto [source, target] = twelve_pairs();
    options.data.train_source = options.data.valid_source = folder.write("t.source", source);
    options.data.train_target = options.data.valid_target = folder.write("t.target", target);
    options.batch = {BatchUnit::sentences, 4, 2};
    options.validation.every = 1;
    options.run.directory = folder.path("run");
    options.run.threads = 1;
    options.run.device = test_device().str();
    options.run.log_every = 1;
    options.run.keep_checkpoints = 100;
  }
  ~TrainerTest() override { set_log_level(LogLevel::normal); }

  StopReason train(bool resume = false, const std::function<bool()>& stop = {}) {
    std::optional<RunDirectory> resumed;
    if (resume) resumed = RunDirectory::open(options.run.directory);
    return Trainer(options, std::move(resumed)).run(stop);
  }
  fs::path run() const { return options.run.directory; }
  /// Without what has become of the pairs.
  std::vector<Json> log() const { return log_lines(false); }
  std::vector<Json> pairs_lines() const { return log_lines(true); }
  std::vector<Json> log_lines(bool of_pairs) const {
    std::vector<Json> lines;
    std::istringstream in(read_file(run() / "train.jsonl"));
    for (std::string text; std::getline(in, text);) {
      Json line = parse_json(text, "train.jsonl");
      if ((line["type"] == "pairs") == of_pairs) lines.push_back(std::move(line));
    }
    return lines;
  }
  /// "u1 v1 u2": updates and validations in order.
  std::string events() const {
    std::string text;
    for (const Json& line : log())
      text.append(1, line["type"].get<std::string>()[0]).append(line["update"].dump()).append(1, ' ');
    text.pop_back();
    return text;
  }
  std::string link(const char* name) const { return fs::read_symlink(run() / name).filename().string(); }

  TemporaryFolder folder;
  TrainOptions options = small_training();
};

TEST_F(TrainerTest, PatienceEndsARunThatDoesNotImprove) {
  options.optimization.learning_rate = 0;
  options.validation.patience = 2;
  EXPECT_EQ(train(), StopReason::patience);
  EXPECT_EQ(events(), "u1 v1 u2 v2 u3 v3");
  EXPECT_EQ(link("best"), "step-1");  // equal is not better
  EXPECT_EQ(link("last"), "step-3");
}

TEST_F(TrainerTest, TheLimitComesBeforePatience) {
  options.optimization.learning_rate = 0;
  options.validation.patience = 2;
  options.limits.max_updates = 3;
  EXPECT_EQ(train(), StopReason::limit);
  options.limits.max_updates = 9;
  EXPECT_EQ(train(/*resume=*/true), StopReason::patience);  // already exhausted
  EXPECT_EQ(events(), "u1 v1 u2 v2 u3 v3");
  options.validation.patience = 4;
  EXPECT_EQ(train(/*resume=*/true), StopReason::patience);
  EXPECT_EQ(events(), "u1 v1 u2 v2 u3 v3 u4 v4 u5 v5");
}

// It may choose `best` while the run rests, and counts for nothing once the run goes on.
TEST_F(TrainerTest, AValidationThatIsNotDueIsExtra) {
  options.optimization.learning_rate = 0.01;
  options.validation.every = 4;
  options.limits.max_updates = 6;
  options.run.keep_checkpoints = 1;
  EXPECT_EQ(train(), StopReason::limit);
  EXPECT_EQ(events(), "u1 u2 u3 u4 v4 u5 u6 v6");
  EXPECT_EQ(link("best"), "step-6");
  EXPECT_FALSE(log()[4].contains("extra"));
  EXPECT_EQ(log().back()["extra"], true);
  EXPECT_EQ(log().back()["best"], true);
  const Progress resting = load_training_state(run() / "last" / "state.pt").progress;
  EXPECT_EQ(resting.best_update, 4);
  EXPECT_EQ(resting.validated_update, 4);
  EXPECT_EQ(resting.stalled_validations, 0);
  EXPECT_EQ(parse_json(load_model(run()).provenance, "")["validation"]["loss"], log().back()["loss"]);

  const std::string before = read_file(run() / "train.jsonl");
  EXPECT_EQ(train(/*resume=*/true), StopReason::limit);  // nothing to train: the run rests on
  EXPECT_EQ(read_file(run() / "train.jsonl"), before);
  EXPECT_EQ(link("best"), "step-6");

  options.limits.max_updates = 0;
  EXPECT_EQ(train(/*resume=*/true, [] { return true; }), StopReason::signal);
  EXPECT_EQ(events(), "u1 u2 u3 u4 v4 u5 u6 v6 u7");
  EXPECT_EQ(link("best"), "step-4");
  EXPECT_EQ(link("last"), "step-7");
  EXPECT_EQ(log()[7]["best"], false);
  EXPECT_TRUE(parse_json(load_model(run() / "last").provenance, "")["validation"].is_null());
}

TEST_F(TrainerTest, BeforeTheFirstDueValidationThereIsNoBestInARunThatGoesOn) {
  options.validation.every = 4;
  options.limits.max_updates = 2;
  train();
  EXPECT_EQ(link("best"), "step-2");
  options.limits.max_updates = 0;
  train(/*resume=*/true, [] { return true; });
  EXPECT_FALSE(fs::is_symlink(run() / "best"));
}

/// The learning rates of the updates.
std::vector<double> rates_in(const std::vector<Json>& log) {
  std::vector<double> rates;
  for (const Json& line : log)
    if (line["type"] == "update") rates.push_back(line["learning_rate"]);
  return rates;
}

TEST_F(TrainerTest, TheFirstLimitIsTheEndOfTheScheduleUntilAnotherIsGiven) {
  options.optimization.schedule = LinearSchedule{};
  options.optimization.learning_rate = 0.08;
  options.limits.max_updates = 4;
  train();
  options.limits.max_updates = 2;
  train(/*resume=*/true);
  options.limits.max_updates = 8;
  train(/*resume=*/true, [] { return true; });
  EXPECT_THAT(rates_in(log()), Pointwise(DoubleEq(), {0.06, 0.04, 0.02, 0.0, 0.0}));
  options.optimization.schedule = LinearSchedule{8};
  set_log_level(LogLevel::normal);
  testing::internal::CaptureStderr();
  train(/*resume=*/true, [] { return true; });
  EXPECT_THAT(
      testing::internal::GetCapturedStderr(),
      HasSubstr("warning: the schedule of the learning rate ends at update 8 instead of 4: the rate of "
                "update 6 is 0.02, not 0\n"));
  set_log_level(LogLevel::quiet);
  EXPECT_DOUBLE_EQ(rates_in(log()).back(), 0.02);
  // It is kept with the run.
  options = RunDirectory::options_of(run());
  EXPECT_EQ(std::get<LinearSchedule>(options.optimization.schedule).updates, 8);
  options.limits.max_updates = 7;
  testing::internal::CaptureStderr();
  train(/*resume=*/true);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_DOUBLE_EQ(rates_in(log()).back(), 0.01);
  // An end that is over by then changes no rate.
  options.optimization.schedule = LinearSchedule{6};
  options.limits.max_updates = 8;
  set_log_level(LogLevel::normal);
  testing::internal::CaptureStderr();
  train(/*resume=*/true, [] { return true; });
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("ends at update 6 instead of 8: the rate of update 8 is 0, as before\n"));
  set_log_level(LogLevel::quiet);
}

TEST_F(TrainerTest, AnotherPrecisionIsLoggedAndKept) {
  options.limits.max_updates = 2;
  train();
  {
    RunDirectory begun = RunDirectory::open(options.run.directory);
    TrainOptions stored = begun.options();
    stored.optimization.precision = Precision::bfloat16;
    begun.set_options(stored);
  }
  options.limits.max_updates = 4;
  train(/*resume=*/true);
  EXPECT_EQ(events(), "u1 v1 u2 v2 p3 u3 v3 u4 v4");
  EXPECT_EQ(log()[4]["precision"], "float32");
  EXPECT_EQ(RunDirectory::options_of(run()).optimization.precision, Precision::float32);
}

// Where that is known when the run begins or goes on.
TEST_F(TrainerTest, UpdatesBehindTheScheduleAreToldOf) {
  options.limits.max_updates = 5;
  const auto told = [&](bool resume = false) {
    set_log_level(LogLevel::normal);
    testing::internal::CaptureStderr();
    train(resume, [] { return true; });
    set_log_level(LogLevel::quiet);
    fs::remove_all(folder.path("before"));
    fs::rename(run(), folder.path("before"));
    return testing::internal::GetCapturedStderr();
  };
  const std::string warning =
      "warning: the schedule of the learning rate ends at update 4, --max-updates is 5: from update 4 on the "
      "rate is 0, and nothing is learned; give --schedule.updates 5 or --max-updates 4\n";
  for (const ScheduleOptions& schedule :
       {ScheduleOptions(LinearSchedule{4}), ScheduleOptions(CosineSchedule{4})}) {
    options.optimization.schedule = schedule;
    EXPECT_THAT(told(), HasSubstr(warning));
  }
  fs::rename(folder.path("before"), run());
  EXPECT_THAT(told(/*resume=*/true), HasSubstr(warning));
  options.optimization.minimum_learning_rate = 1e-5;
  EXPECT_THAT(told(), Not(HasSubstr("ends at update")));
  options.optimization.minimum_learning_rate = 0;
  for (const int64_t end : {5, 6}) {
    options.optimization.schedule = LinearSchedule{end};
    EXPECT_THAT(told(), Not(HasSubstr("ends at update")));
  }
  options.limits = {.max_epochs = 100};  // how many updates that is nobody knows
  EXPECT_THAT(told(), Not(HasSubstr("ends at update")));
  options.optimization.schedule = ConstantSchedule{};
  options.limits.max_updates = 5;
  EXPECT_THAT(told(), Not(HasSubstr("ends at update")));
}

TEST_F(TrainerTest, AFullDiskIsRelievedBeforeTheNextCheckpoint) {
  options.limits.max_updates = 5;
  options.optimization.learning_rate = 0;
  train();
  options.limits.max_updates = 0;
  options.run.keep_checkpoints = 1;
  std::vector<std::string> left;
  train(/*resume=*/true, [&] {
    for (const auto& entry : fs::directory_iterator(run() / "checkpoints"))
      left.push_back(entry.path().filename().string());
    return true;
  });
  EXPECT_THAT(left, ::testing::UnorderedElementsAre("step-1", "step-5"));  // the best and the last
}

TEST_F(TrainerTest, ImprovementRenewsPatience) {
  options.optimization.learning_rate = 0.01;
  options.validation.patience = 1;
  options.limits.max_updates = 6;
  EXPECT_EQ(train(), StopReason::limit);
  EXPECT_EQ(link("best"), "step-6");
  double last = std::numeric_limits<double>::infinity();
  for (const Json& line : log()) {
    if (line["type"] != "validation") continue;
    EXPECT_LT(line["perplexity"].get<double>(), last);
    EXPECT_TRUE(line["best"].get<bool>());
    last = line["perplexity"];
  }
}

// The 12 pairs of an epoch have 1 + ... + 12 words and 12 </s>: 90 target tokens.
TEST_F(TrainerTest, ABudgetOfTargetTokensEndsARunAndCountsOnWhenResumed) {
  options.validation.every = 0;
  options.limits.max_target_tokens = 91;  // one token more than an epoch
  EXPECT_EQ(train(), StopReason::limit);
  EXPECT_EQ(events(), "u1 u2 u3 v3 u4 v4");
  EXPECT_EQ(log()[3]["target_tokens"], 90);
  options.limits.max_target_tokens = 180;
  EXPECT_EQ(train(/*resume=*/true), StopReason::limit);
  EXPECT_EQ(log().back()["target_tokens"], 180);
  EXPECT_EQ(events(), "u1 u2 u3 v3 u4 v4 u5 u6 v6");
}

TEST_F(TrainerTest, MeasuringGradientFlowChangesNothingElse) {
  options.limits.max_updates = 4;
  const auto losses = [&] {
    std::vector<double> all;
    for (const Json& line : log())
      if (line["type"] != "gradient_flow") all.push_back(line["loss"]);
    return all;
  };
  train();
  const auto plain = losses();
  options.run.directory = folder.path("measured");
  options.run.gradient_flow_every = 2;
  train();
  EXPECT_EQ(losses(), plain);
  EXPECT_EQ(events(), "u1 v1 u2 g2 v2 u3 v3 u4 g4 v4");
  const Json flow = log()[3];
  EXPECT_EQ(flow["norms"].size(), 10U + 5 + 1);  // the tenth pair: ten words, five words and </s>
  EXPECT_GT(flow["norms"][0], 0);
  EXPECT_GT(flow["parameter_norm"], 0);
}

TEST_F(TrainerTest, EveryEpochEndsInAValidation) {
  options.validation.every = 0;
  options.limits.max_epochs = 2;
  train();
  EXPECT_EQ(events(), "u1 u2 u3 v3 u4 u5 u6 v6");
}

TEST_F(TrainerTest, AnEpochMayEndWithinAnUpdate) {
  options.validation.every = 0;
  options.optimization.accumulation = 2;
  options.limits.max_epochs = 4;
  train();
  EXPECT_EQ(events(), "u1 u2 v2 u3 v3 u4 u5 v5 u6 v6");
}

TEST_F(TrainerTest, HeldOutExamplesAreNotTrainedOn) {
  options.model.initial_range = 2;  // so that no two pairs have the same loss
  options.optimization.learning_rate = 0;
  options.limits.max_epochs = 1;
  options.validation.every = 0;
  const auto train_loss = [&](double& tokens) {
    double sum = 0;
    tokens = 0;
    for (const Json& line : log()) {
      if (line["type"] != "update") continue;
      tokens += line["target_tokens"].get<double>();
      sum += line["loss"].get<double>() * line["target_tokens"].get<double>();
    }
    return sum;
  };
  double tokens = 0, all_tokens = 0;
  train();
  const double all = train_loss(all_tokens);
  EXPECT_EQ(all_tokens, 12 * 13 / 2 + 12);
  EXPECT_NEAR(log().back()["loss"].get<double>(), all / all_tokens, 1e-5);

  options.data.valid_source = options.data.valid_target = "";
  options.data.held_out = 4;
  options.run.directory = folder.path("held-out");
  train();
  const double trained_on = train_loss(tokens);
  const double held_out = log().back()["loss"].get<double>() * (all_tokens - tokens);
  // The examples trained on and those validated on are together the corpus.
  EXPECT_NEAR(trained_on + held_out, all, 1e-4);
}

TEST_F(TrainerTest, WhatLoadingMayCostChangesNothing) {
  options.limits.max_updates = 7;
  const auto losses = [&] {
    train();
    std::vector<double> result;
    for (const Json& line : log()) result.push_back(line["loss"]);
    return result;
  };
  const std::vector<double> expected = losses();
  options.run.directory = folder.path("other");
  options.loader = {.threads = 3, .cache_mib = 0};
  EXPECT_EQ(losses(), expected);
}

TEST_F(TrainerTest, ResumedRunsMayLoadInAnotherWay) {
  options.limits.max_updates = 2;
  train();
  options.limits.max_updates = 4;
  options.loader = {.threads = 2, .cache_mib = 1};
  EXPECT_EQ(train(/*resume=*/true), StopReason::limit);
  EXPECT_EQ(events(), "u1 v1 u2 v2 u3 v3 u4 v4");
}

TEST_F(TrainerTest, TheShareOfWaitingIsOfTheWholeUpdate) {
  options.limits.max_updates = 4;
  train();
  for (const Json& line : log()) {
    if (line["type"] != "update") continue;
    EXPECT_GE(line["data_wait_share"].get<double>(), 0);
    EXPECT_LE(line["data_wait_share"].get<double>(), 1);
  }
}

TEST_F(TrainerTest, LogLinesHaveTheseKeys) {
  options.limits.max_updates = 1;
  options.validation.metrics = {"chrf++"};
  train();
  const auto keys = [](const Json& line) {
    std::vector<std::string> names;
    for (const auto& [key, value] : line.items()) names.push_back(key);
    return names;
  };
  const auto lines = log();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(keys(lines[0]),
              ElementsAre("type", "update", "epoch", "loss", "perplexity", "gradient_norm", "learning_rate",
                          "target_tokens", "target_tokens_per_second", "data_wait_share", "seconds"));
  EXPECT_THAT(keys(lines[1]), ElementsAre("type", "update", "epoch", "target_tokens", "accuracy", "chrf++",
                                          "loss", "perplexity", "signatures", "best", "validation_seconds",
                                          "peak_memory_mib", "seconds"));
}

/// Targets without a letter that rouge-score's rule keeps, and too short for a 4-gram.
class UnscoredTextTest : public TrainerTest {
 protected:
  UnscoredTextTest() {
    std::string target;
    for (int i = 0; i < 12; ++i) target += i % 2 == 0 ? "Да нет\n" : "Снег лежит\n";
    options.data.train_target = options.data.valid_target = folder.write("t.target", target);
    options.optimization.learning_rate = 0.01;
    options.limits.max_updates = 4;
  }
  Json stored() const {
    return read_json_file((run() / "config.json").string())["validation"]["valid-rouge-tokenize"];
  }
  std::string signatures() const { return log().back()["signatures"].get<std::string>(); }
};

TEST_F(UnscoredTextTest, ACriterionThatCannotRiseNeitherStopsARunNorChoosesItsBest) {
  options.validation.criterion = "bleu";
  options.validation.patience = 1;
  testing::internal::CaptureStderr();
  EXPECT_EQ(train(), StopReason::limit);
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_THAT(told, HasSubstr("bleu: outputs equal to the references would score no better than empty ones"));
  EXPECT_THAT(told, HasSubstr("bleu does not decide: perplexity chooses `best`"));
  EXPECT_EQ(link("best"), "step-4");  // perplexity improves
  EXPECT_EQ(log().back()["bleu"], 0);
  options.optimization.learning_rate = 0;
  options.run.directory = folder.path("constant");
  EXPECT_EQ(train(), StopReason::limit);
  EXPECT_EQ(link("best"), "step-1");
  EXPECT_EQ(events(), "u1 v1 u2 v2 u3 v3 u4 v4");
}

TEST_F(UnscoredTextTest, ABestThatSuchACriterionOnceChoseIsLeftBehind) {
  options.validation.criterion = "bleu";
  train();
  const fs::path file = run() / "last" / "state.pt";
  TrainingState state = load_training_state(file);
  state.progress.best_score = 0;  // of the criterion, as earlier versions kept it
  save_training_state(state, file);
  options.limits.max_updates = 6;
  EXPECT_EQ(train(/*resume=*/true), StopReason::limit);
  EXPECT_EQ(link("best"), "step-6");
}

TEST_F(UnscoredTextTest, AutomaticWordsOfRougeAreSettledOnceAndKeptWithTheRun) {
  options.validation.criterion = "rougeL";
  testing::internal::CaptureStderr();
  train();
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("would keep 0 of 24 words of the references; they are split with "
                        "--valid-rouge-tokenize unicode"));
  EXPECT_EQ(stored(), "unicode");
  EXPECT_EQ(signatures(), "rougeL nrefs:1|tok:unicode|stem:no|version:seq2seq-0.1.0");
  options.limits.max_updates = 5;
  testing::internal::CaptureStderr();
  train(/*resume=*/true);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");  // told once
  EXPECT_EQ(stored(), "unicode");
  EXPECT_EQ(signatures(), "rougeL nrefs:1|tok:unicode|stem:no|version:seq2seq-0.1.0");
}

TEST_F(UnscoredTextTest, ARunOfAnEarlierVersionKeepsTheRuleOfRougeScore) {
  options.validation.metrics = {"rougeL"};
  options.limits.max_updates = 1;
  train();
  const std::string config = (run() / "config.json").string();
  Json older = read_json_file(config);
  older["validation"].erase("valid-rouge-tokenize");
  folder.write("run/config.json", older.dump());
  options.limits.max_updates = 2;
  train(/*resume=*/true);
  EXPECT_EQ(signatures(), "rougeL nrefs:1|tok:rouge-score|stem:yes|version:seq2seq-0.1.0");
}

TEST_F(UnscoredTextTest, AChangedMeaningOfScoresIsTold) {
  options.validation.metrics = {"bleu"};
  options.validation.bleu_tokenizer = "none";
  options.limits.max_updates = 1;
  train();
  options.validation.bleu_tokenizer = "char";  // as if the file of a SentencePiece model were another one
  options.limits.max_updates = 2;
  testing::internal::CaptureStderr();
  train(/*resume=*/true);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              ::testing::ContainsRegex(
                  "scores were bleu .*tok:none.* until here, from here on they are bleu .*tok:char"));
}

TEST_F(UnscoredTextTest, NamedWordsThatAreNotInMostReferencesAreRefusedBeforeTraining) {
  options.validation.metrics = {"rougeL"};
  options.validation.rouge_tokenizer = RougeTokenizer::rouge_score;
  EXPECT_EQ(
      error_of([&] { train(); }),
      "--valid-rouge-tokenize: rouge-score finds no word in 12 of 12 references; give auto, unicode or char");
  EXPECT_FALSE(fs::exists(run()));
  options.validation.rouge_tokenizer = RougeTokenizer::character;
  EXPECT_EQ(train(), StopReason::limit);
  EXPECT_EQ(stored(), "char");
}

TEST_F(UnscoredTextTest, LowercasedTextIsComparedInLowerCase) {
  options.validation.metrics = {"chrf"};
  options.limits.max_updates = 1;
  train();
  EXPECT_THAT(signatures(), HasSubstr("|case:mixed|"));
  options.text.normalization.lowercase = true;
  options.run.directory = folder.path("lower");
  train();
  EXPECT_THAT(signatures(), HasSubstr("|case:lc|"));
}

TEST_F(TrainerTest, ASignalSavesWithoutValidating) {
  options.validation.every = 100;
  EXPECT_EQ(train(false, [] { return true; }), StopReason::signal);
  EXPECT_EQ(events(), "u1");
  EXPECT_EQ(link("last"), "step-1");
  EXPECT_FALSE(fs::exists(run() / "best"));
}

TEST_F(TrainerTest, TheModelHoldsTheAveragedWeights) {
  options.optimization.average_decay = 0.5;
  options.limits.max_updates = 3;
  train();
  const TrainingState state = load_training_state(run() / "last" / "state.pt");
  TranslationModel model = load_model(run() / "last");
  for (const auto& [name, value] : named_parameters_of(*model.model))
    EXPECT_TRUE(same(value, state.tensors.at("average/" + name))) << name;
  EXPECT_FALSE(at::equal(state.tensors.at("average/output.bias"), state.tensors.at("weight/output.bias")));
}

TEST_F(TrainerTest, FineTuningBeginsWithTheGivenModel) {
  options.limits.max_updates = 2;
  train();
  options.run.initialize_from = options.run.directory;
  options.run.directory = folder.path("tuned");
  options.run.seed = 2;
  options.optimization.learning_rate = 0;
  train();
  TranslationModel from = load_model(options.run.initialize_from), tuned = load_model(run());
  for (const auto& [name, value] : named_parameters_of(*from.model))
    EXPECT_TRUE(same(named_parameters_of(*tuned.model).at(name), value)) << name;
}

TEST_F(TrainerTest, DivergenceIsAnErrorWithARemedy) {
  options.optimization.divergence_norm = 1e-9;
  EXPECT_THAT(error_of([&] { train(); }), ::testing::AllOf(StartsWith("update 1: training diverged (loss "),
                                                           HasSubstr("lower --learning-rate")));
}

// Users of the library get the same checks as those of the command line.
TEST_F(TrainerTest, OptionsAreCheckedBeforeAnythingIsRead) {
  options.data.train_source = options.data.train_target = "/nowhere";
  options.model.copying = true;
  options.model.decoder = RnnDecoderOptions{.size = 5, .attention = NoAttention{}, .dropout = 0};
  EXPECT_THAT([&] { train(); },
              ::testing::ThrowsMessage<UsageError>(StartsWith("--copying: copying needs attention")));
  EXPECT_FALSE(fs::exists(run()));
}

TEST_F(TrainerTest, OptionsOfAResumedRunAreCheckedToo) {
  options.limits.max_updates = 1;
  train();
  options.optimization.minimum_learning_rate = 2 * options.optimization.learning_rate;
  EXPECT_THAT([&] { train(/*resume=*/true); },
              ::testing::ThrowsMessage<UsageError>(HasSubstr("is above the learning rate")));
  options.optimization.minimum_learning_rate = 0;
  options.limits.max_updates = 2;
  EXPECT_EQ(train(/*resume=*/true), StopReason::limit);
}

TEST_F(TrainerTest, ARunThatCannotBeginLeavesNoFolder) {
  const std::string source = options.data.train_source;
  options.data.train_source = folder.path("none");
  EXPECT_THAT(error_of([&] { train(); }), StartsWith(folder.path("none") + ": cannot be opened"));
  EXPECT_FALSE(fs::exists(run()));
  options.data.train_source = source;
  options.limits.max_updates = 1;
  EXPECT_EQ(train(), StopReason::limit);  // with the same --run-directory
}

TEST_F(TrainerTest, AStartThatFailsChangesNothing) {
  const std::string target = options.data.train_target;
  const auto fails = [&](bool resume) {
    options.data.train_target = folder.path("none");
    EXPECT_THAT(error_of([&] { train(resume); }), StartsWith(folder.path("none") + ": cannot be opened"));
    options.data.train_target = target;
  };
  fs::create_directory(folder.path("own"));
  fs::permissions(folder.path("own"), fs::perms::owner_all | fs::perms::group_all);
  fs::create_directory_symlink("own", folder.path("link"));
  options.run.directory = folder.path("link");
  fails(/*resume=*/false);
  EXPECT_EQ(fs::read_symlink(folder.path("link")), "own");
  EXPECT_EQ(fs::status(folder.path("own")).permissions(), fs::perms::owner_all | fs::perms::group_all);
  EXPECT_TRUE(fs::is_empty(folder.path("own")));
  options.optimization.divergence_norm = 1e-9;
  EXPECT_THAT(error_of([&] { train(); }), StartsWith("update 1: training diverged"));
  EXPECT_TRUE(fs::is_empty(folder.path("own")));
  options.optimization.divergence_norm = 0;
  options.limits.max_minutes = 1e-9;
  EXPECT_THAT(error_of([&] { train(); }), StartsWith("--max-minutes: passed before the first update"));
  EXPECT_TRUE(fs::is_empty(folder.path("own")));

  options.limits = {.max_updates = 2};
  EXPECT_EQ(train(), StopReason::limit);
  std::ofstream(run() / "train.jsonl", std::ios::app) << R"({"type":"update","update":3})"
                                                      << "\n";
  const std::string before = read_file(run() / "train.jsonl");
  fails(/*resume=*/true);
  EXPECT_EQ(read_file(run() / "train.jsonl"), before);
  options.limits.max_updates = 0;
  options.optimization.divergence_norm = 1e-9;
  EXPECT_THAT(error_of([&] { train(/*resume=*/true); }), StartsWith("update 3: training diverged"));
  EXPECT_EQ(read_file(run() / "train.jsonl"), before);
}

TEST_F(TrainerTest, RefusesToHoldOutEverything) {
  options.data.valid_source = options.data.valid_target = "";
  options.data.held_out = 12;
  EXPECT_THAT(
      error_of([&] { train(); }),
      HasSubstr("has 12 different pairs that can be trained on, 12 examples are to be held out; lower "
                "--held-out to 11 or less"));
}

/// Twelve pairs, as all tests have, two empty ones and three copies of one of six words.
class TrainerAccountsTest : public TrainerTest {
 protected:
  TrainerAccountsTest() {
    std::string source = read_file(options.data.train_source), target = read_file(options.data.train_target);
    options.data.train_source = folder.write("more.source", source + "a\n \nb\nb\nb\n");
    options.data.train_target =
        folder.write("more.target", target + "\nv\nv w x y z v\nv w x y z v\nv w x y z v\n");
    options.data.valid_source = options.data.valid_target = "";
    options.data.held_out = 3;
    options.filter.maximum_length = 9;  // three of the twelve are longer
    options.filter.remove_duplicates = true;
    options.validation.every = 0;
  }
  std::string messages(bool resume = false) {
    set_log_level(LogLevel::normal);
    testing::internal::CaptureStderr();
    train(resume);
    return testing::internal::GetCapturedStderr();
  }
};

TEST_F(TrainerAccountsTest, LogAndFileTellWhatHasBecomeOfEachPair) {
  options.limits.max_epochs = 2;
  const std::string told = messages();
  EXPECT_THAT(told, HasSubstr("no validation files: 3 of 17 training pairs held out for validation\n"));
  EXPECT_THAT(told, HasSubstr("training: 17 pairs read, 3 of them held out for validation; "));
  EXPECT_THAT(told,
              HasSubstr("first epoch: trained on 7 of 17 pairs (3 held out, 2 empty, 3 over 9 tokens, 2 "
                        "duplicates)\n"));
  ASSERT_EQ(pairs_lines().size(), 1U);
  EXPECT_EQ(
      pairs_lines()[0].dump(),
      R"({"type":"pairs","update":2,"whole_epoch":true,"read":17,"trained_on":7,"waiting":0,"held_out":3,)"
      R"("held_out_copies":0,"empty":2,"too_long":3,"unlike_lengths":0,"duplicates":2})");
}

TEST_F(TrainerAccountsTest, ARunThatEndsBeforeTellsWhatItHasRead) {
  options.batch = {BatchUnit::sentences, 2, 2};  // windows of four pairs
  options.limits.max_updates = 1;
  const std::string told = messages();
  EXPECT_THAT(told, HasSubstr("first epoch, so far: trained on 2 of "));
  EXPECT_THAT(told, HasSubstr("2 still to come in the batches that were begun)"));
  ASSERT_EQ(pairs_lines().size(), 1U);
  const Json line = pairs_lines()[0];
  EXPECT_EQ(line["whole_epoch"], false);
  EXPECT_EQ(line["trained_on"], 2);
  EXPECT_EQ(line["waiting"], 2);
  int64_t sum = 0;
  for (const char* key : {"trained_on", "waiting", "held_out", "held_out_copies", "empty", "too_long",
                          "unlike_lengths", "duplicates"})
    sum += line[key].get<int64_t>();
  EXPECT_EQ(sum, line["read"].get<int64_t>());
}

TEST_F(TrainerAccountsTest, ARunInPiecesTellsWhatTheWholeTells) {
  options.batch = {BatchUnit::sentences, 2, 2};
  options.limits.max_epochs = 2;
  train();
  const auto whole = pairs_lines();
  ASSERT_EQ(whole.size(), 1U);
  options.run.directory = folder.path("pieces");
  options.limits.max_epochs = 0;
  options.validation.every = 100;
  for (options.limits.max_updates = 1; options.limits.max_updates <= 6; ++options.limits.max_updates)
    train(/*resume=*/options.limits.max_updates > 1);
  EXPECT_EQ(pairs_lines(), whole);
}

TEST_F(TrainerAccountsTest, ResumingDrawsTheSameAgain) {
  options.limits.max_updates = 2;
  train();
  EXPECT_EQ(load_training_state(run() / "last" / "state.pt").progress.held_out_rule,
            HeldOutRule::usable_pairs);
  options.limits.max_updates = 4;
  train(/*resume=*/true);
  const auto pieces = log();
  options.run.directory = folder.path("whole");
  train();
  for (size_t i = 0; i < log().size(); ++i) EXPECT_EQ(log()[i]["loss"], pieces[i]["loss"]) << i;
}

TEST_F(TrainerAccountsTest, ThatMostPairsAreLeftOutIsAWarning) {
  options.filter.maximum_length = 4;
  options.limits.max_epochs = 1;
  testing::internal::CaptureStderr();
  train();  // quiet
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_EQ(
      told,
      "warning: most pairs are left out: trained on 1 of 17 pairs (3 held out, 2 empty, 9 over 4 tokens, 2 "
      "duplicates); raise --max-length, or add --truncate-source to cut long sources\n");
}

TEST_F(TrainerAccountsTest, ValidationPairsThatAreEmptyAreTold) {
  options.data.held_out = 0;
  options.data.valid = folder.write("valid.tsv", "a\tv\n\tv\nb\t\n");
  options.limits.max_updates = 1;
  EXPECT_THAT(messages(), HasSubstr("17 pairs read, 1 validation pair (2 of 3 have an empty side); "));
}

/// With vectors for one of the five words of the source, and weight decay.
class FreezingTest : public TrainerTest {
 protected:
  FreezingTest() {
    options.text.shared_vocabulary = false;
    options.model.embedding.source_file = folder.write("vectors.txt", "b 1 2 3 4\nother 5 6 7 8\n");
    options.model.embedding.freeze = true;
    options.optimization.optimizer = AdamWOptions{.weight_decay = 0.1};
    options.optimization.average_decay = 0.9;
  }
  NamedTensors state() const { return load_training_state(run() / "last" / "state.pt").tensors; }
  static Tensor embedding(const NamedTensors& tensors) {
    return tensors.at("weight/source_embedding.weight");
  }
};

TEST_F(FreezingTest, RowsWithAVectorAreFrozenAndOthersTrained) {
  options.limits.max_updates = 4;
  train();
  const NamedTensors whole = state();
  options.run.directory = folder.path("pieces");
  options.limits.max_updates = 2;
  train();
  const NamedTensors half = state();
  fs::remove(folder.path("vectors.txt"));  // needed no more
  options.limits.max_updates = 4;
  train(/*resume=*/true);
  expect_same_tensors(state(), whole);
  const Tensor ids = whole.at("frozen/source_embedding.weight");
  ASSERT_EQ(ids.numel(), 1);
  const int64_t row = ids.item<int64_t>();
  for (const char* name : {"weight/source_embedding.weight", "average/source_embedding.weight"})
    EXPECT_TRUE(same(whole.at(name)[row], at::tensor({1, 2, 3, 4}, at::kFloat))) << name;
  const Tensor changed = embedding(whole).ne(embedding(half)).any(1);
  for (int64_t word = Vocabulary::special_count; word < changed.numel(); ++word)
    EXPECT_EQ(changed[word].item<bool>(), word != row) << word;
}

// Earlier versions froze all rows, and stored nothing of it.
TEST_F(FreezingTest, ARunOfAnEarlierVersionKeepsAllRows) {
  options.limits.max_updates = 2;
  train();
  TrainingState older = load_training_state(run() / "last" / "state.pt");
  for (const char* part : {"frozen/", "first/", "second/", "steps/"})
    older.tensors.erase(std::string(part) + "source_embedding.weight");
  save_training_state(older, run() / "last" / "state.pt");
  options.limits.max_updates = 4;
  train(/*resume=*/true);
  const NamedTensors now = state();
  EXPECT_TRUE(same(embedding(now), embedding(older.tensors)));
  EXPECT_FALSE(now.contains("frozen/source_embedding.weight"));
  EXPECT_FALSE(same(now.at("weight/output.weight"), older.tensors.at("weight/output.weight")));
}

TEST_F(FreezingTest, SharedVectorsOfBothFilesAreFrozen) {
  options.text.shared_vocabulary = true;
  options.model.embedding.sharing = EmbeddingSharing::source_target;
  options.model.embedding.target_file = folder.write("target.txt", "w 5 6 7 8\n");
  options.limits.max_updates = 2;
  train();
  const NamedTensors now = state();
  const Tensor rows = embedding(now).index_select(0, now.at("frozen/source_embedding.weight"));
  EXPECT_TRUE(same(std::get<0>(rows.flatten().sort()), at::arange(1, 9, at::kFloat)));
}

}  // namespace
}  // namespace seq2seq::test
