#include "seq2seq/train/trainer.h"

#include <gmock/gmock.h>

#include <cmath>
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
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Twelve pairs: three batches per epoch.
class TrainerTest : public ::testing::Test {
 protected:
  TrainerTest() {
    set_log_level(LogLevel::quiet);
    std::string source, target;
    for (int i = 0; i < 12; ++i) {
      for (int word = 0; word <= i % 5; ++word) source.append(1, "abcde"[word * i % 5]).append(1, ' ');
      for (int word = 0; word <= i; ++word) target.append(1, "vwxyz"[(word + i) % 5]).append(1, ' ');
      source.back() = target.back() = '\n';
    }
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
  std::vector<Json> log() const {
    std::vector<Json> lines;
    std::istringstream in(read_file(run() / "train.jsonl"));
    for (std::string line; std::getline(in, line);) lines.push_back(parse_json(line, "train.jsonl"));
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
  EXPECT_THAT(keys(lines[1]),
              ElementsAre("type", "update", "epoch", "target_tokens", "accuracy", "chrf++", "loss",
                          "perplexity", "best", "validation_seconds", "peak_memory_mib", "seconds"));
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

TEST_F(TrainerTest, RefusesToHoldOutEverything) {
  options.data.valid_source = options.data.valid_target = "";
  options.data.held_out = 12;
  EXPECT_THAT(error_of([&] { train(); }), HasSubstr("has 12 examples, 12 are to be held out"));
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
