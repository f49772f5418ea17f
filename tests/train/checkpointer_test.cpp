#include "seq2seq/train/checkpointer.h"

#include <gmock/gmock.h>

#include "../data/temporary_folder.h"
#include "../support/compare.h"
#include "../support/shadow_device.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/json.h"
#include "seq2seq/core/log.h"
#include "seq2seq/train/new_model.h"
#include "seq2seq/train/validator.h"
#include "training_support.h"

namespace seq2seq::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// A model with weight averages after two updates, ready to be saved.
class CheckpointerTest : public ::testing::Test {
 protected:
  CheckpointerTest() {
    set_log_level(LogLevel::quiet);
    options.data.train_source = options.data.valid_source = folder.write("t.source", "a b\nc\nb a c\n");
    options.data.train_target = options.data.valid_target = folder.write("t.target", "x\ny z\nz z\n");
    options.optimization.average_decay = 0.5;
    options.run.directory = folder.path("run");
    run.emplace(RunDirectory::create(options));
    run->begin(options);
    log.emplace(run->path());
    text.emplace(options.data, /*seed=*/1);
    checkpointer.emplace(*run, *log, options, *text);
    model = untrained();
    update.emplace(model.model, options.optimization, /*seed=*/1);
    for (int64_t number = 1; number <= 2; ++number)
      progress.count(update->run({make_batch(std::vector<Example>{{0, {4, 5}, {6}}})}, number, 0.1), 1.5);
    progress.training_pairs = 3;
  }
  ~CheckpointerTest() override { set_log_level(LogLevel::normal); }

  TranslationModel untrained() const {
    TranslationModel result = new_model(options, text->training(), /*seed=*/1);
    move_to_test_device(*result.model);
    return result;
  }
  /// A codec with so many words, none of them in the vocabulary of the model.
  static std::shared_ptr<const TextCodec> other_codec(int words) {
    std::vector<std::string> tokens;
    for (int i = 0; i < words; ++i) tokens.push_back("w" + std::to_string(i));
    return std::make_shared<const TextCodec>(WordTokenizerOptions{}, NormalizationOptions{}, "",
                                             Vocabulary(tokens));
  }
  NamedTensors state() const { return copied(update->state()); }
  fs::path saved(const char* file) const { return run->path() / "checkpoints" / "step-2" / file; }

  TemporaryFolder folder;
  TrainOptions options = small_training();
  std::optional<RunDirectory> run;
  std::optional<RunLog> log;
  std::optional<TrainingText> text;
  std::optional<Checkpointer> checkpointer;
  TranslationModel model;
  std::optional<Update> update;
  Progress progress;
};

TEST_F(CheckpointerTest, OneIsDueAtAValidationOrAtItsUpdate) {
  EXPECT_FALSE(checkpointer->due(progress));
  progress.validated_update = 2;
  EXPECT_TRUE(checkpointer->due(progress));
  options.run.checkpoint_every = 3;
  EXPECT_FALSE(checkpointer->due(progress));
  progress.updates = 6;
  EXPECT_TRUE(checkpointer->due(progress));
}

TEST_F(CheckpointerTest, WhatIsSavedIsRestored) {
  progress.position = {.epoch = 1, .window_begin = 2, .batch = 3};
  log->write(UpdateLine{.update = 2});
  checkpointer->save(progress, model, *update, {}, false);
  log->write(UpdateLine{.update = 3});
  const NamedTensors expected = state();

  model = untrained();
  update.emplace(model.model, options.optimization, /*seed=*/1);
  const Progress restored = checkpointer->restore(*update);
  expect_same_tensors(state(), expected);
  EXPECT_EQ(restored.updates, 2);
  EXPECT_EQ(restored.position, progress.position);
  EXPECT_EQ(restored.target_tokens, 4);
  EXPECT_EQ(restored.training_seconds, 3);
  EXPECT_EQ(lines_of<UpdateLine>(RunLog::read(run->path())).size(), 2U);
  checkpointer->go_on(restored);
  EXPECT_EQ(lines_of<UpdateLine>(RunLog::read(run->path())).size(), 1U);
}

TEST_F(CheckpointerTest, TheModelHasTheAveragesAndItsProvenance) {
  progress.validated_update = 2;
  log->write(ValidationLine{.update = 2, .scores = {{"loss", 1.5}}});
  checkpointer->save(progress, model, *update, {{"loss", 1.5}}, true);
  const TranslationModel loaded = load_model(saved("model.pt"));
  Seq2Seq network = loaded.model;
  for (const auto& [name, value] : named_parameters_of(*network))
    EXPECT_TRUE(same(value, state().at("average/" + name))) << name;
  const Json provenance = parse_json(loaded.provenance, "provenance");
  EXPECT_EQ(provenance["update"], 2);
  EXPECT_EQ(provenance["training-seconds"], 3);
  EXPECT_EQ(provenance["validation"].dump(), R"({"loss":1.5})");
  EXPECT_EQ(provenance["history"].size(), 1U);
  EXPECT_EQ(provenance["data"].dump(), text->fingerprints());
  EXPECT_EQ(provenance["training"]["optimization"]["average-decay"], 0.5);
  EXPECT_EQ(fs::read_symlink(run->path() / "best"), fs::path("checkpoints") / "step-2");
}

// Writing model.pt, which comes after state.pt, fails because the model is null.
TEST_F(CheckpointerTest, ASaveThatFailsLeavesTheWeightsAlone) {
  const NamedTensors before = state();
  TranslationModel broken = model;
  broken.model = Seq2Seq(nullptr);
  EXPECT_ANY_THROW(checkpointer->save(progress, broken, *update, {}, false));
  expect_same_tensors(state(), before);
  EXPECT_FALSE(fs::exists(saved("")));
  checkpointer->save(progress, model, *update, {}, false);
  EXPECT_TRUE(fs::exists(saved("model.pt")));
}

// The model generates an id that the validator's vocabulary lacks.
TEST_F(CheckpointerTest, AValidationThatFailsLeavesTheWeightsAlone) {
  {
    const at::NoGradGuard no_grad;
    named_parameters_of(*model.model).at("output.bias")[6].fill_(1000);
  }
  update.emplace(model.model, options.optimization, /*seed=*/1);
  const NamedTensors before = state();
  ValidationOptions validation;
  validation.metrics = {"bleu"};
  const TextCodecs narrow{other_codec(1), other_codec(1), {}};
  const Validator validator(text->validation(), text->validation_examples(), narrow, validation, 10);
  const auto validate = [&] {
    const AveragedWeights averages = update->averaged_weights();
    validator.run(model.model);
  };
  EXPECT_ANY_THROW(validate());
  expect_same_tensors(state(), before);
}

TEST_F(CheckpointerTest, ARunGoesOnWithItsOwnTextAlone) {
  progress.training_pairs = 4;
  checkpointer->save(progress, model, *update, {}, false);
  EXPECT_THAT([&] { checkpointer->restore(*update); },
              ThrowsMessage<Error>(HasSubstr("has 3 pairs, 4 when the run began")));
}

}  // namespace
}  // namespace seq2seq::test
