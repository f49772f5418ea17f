#include "seq2seq/train/training_state.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <torch/csrc/jit/serialization/pickle.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "../data/temporary_folder.h"
#include "../support/compare.h"
#include "../support/fill.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "training_support.h"

namespace seq2seq::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// Every field differs from its default and from all others.
Progress some_progress() {
  Progress progress;
  progress.updates = 123456789012;
  progress.position = {.epoch = 3, .window_begin = 12345, .batch = 17};
  progress.held_out_rule = HeldOutRule::any;
  progress.counted = FilterCounts{41, 42, 43, 44, 45, 46, 47, 0};
  progress.interval = {.loss = 0.1 + 0.2,
                       .negative_log_likelihood = 1e-310,  // a denormal
                       .gradient_norm = std::nextafter(1.0, 2.0),
                       .waited_seconds = 0.7,
                       .target_tokens = 21,
                       .updates = 23};
  progress.schedule = {.plateau_scale = 1.0 / 3, .stalled_validations = 24};
  progress.target_tokens = 1234;
  progress.training_seconds = 12.75;
  progress.best_score = -0.0;
  progress.best_update = 25;
  progress.stalled_validations = 26;
  progress.validated_update = 27;
  return progress;
}

class TrainingStateTest : public ::testing::Test {
 protected:
  TrainingStateTest() {
    state.progress = some_progress();
    state.tensors["weight/a"] = cosine({3, 4}).to(at::kFloat);
    state.tensors["first/a"] = cosine({5});
    state.tensors["steps/a"] = at::scalar_tensor(7);
    state.tensors["weight/view"] = cosine({6, 6}).t().narrow(0, 1, 2);
  }
  TemporaryFolder folder;
  TrainingState state;
};

TEST_F(TrainingStateTest, RoundTripsBitForBit) {
  save_training_state(state, folder.path("state.pt"));
  const TrainingState loaded = load_training_state(folder.path("state.pt"));
  expect_same_progress(loaded.progress, state.progress);
  ASSERT_EQ(loaded.tensors.size(), state.tensors.size());
  for (const auto& [name, tensor] : state.tensors) {
    EXPECT_TRUE(same(loaded.tensors.at(name), tensor)) << name;
    EXPECT_EQ(loaded.tensors.at(name).scalar_type(), tensor.scalar_type()) << name;
  }
}

TEST_F(TrainingStateTest, RoundTripsWhatIsNotFinite) {
  state.progress.best_score = std::numeric_limits<double>::quiet_NaN();
  state.progress.interval.loss = -std::numeric_limits<double>::infinity();
  save_training_state(state, folder.path("state.pt"));
  expect_same_progress(load_training_state(folder.path("state.pt")).progress, state.progress);
}

TEST_F(TrainingStateTest, ATruncatedFileIsRefusedInOneLineAtEveryLength) {
  save_training_state(state, folder.path("whole.pt"));
  const std::string bytes = read_file(folder.path("whole.pt"));
  const std::string path = folder.path("state.pt");
  for (size_t length = 0; length < bytes.size(); length += 1 + bytes.size() / 97) {
    folder.write("state.pt", bytes.substr(0, length));
    const std::string message = error_of([&] { load_training_state(path); });
    ASSERT_THAT(message, AllOf(StartsWith(path + ": is not a training state, or is damaged"),
                               HasSubstr("; resume from another checkpoint"), Not(HasSubstr("\n"))))
        << "cut to " << length << " of " << bytes.size() << " bytes";
  }
}

TEST_F(TrainingStateTest, ForeignFilesAreRefusedInOneLine) {
  const std::string text = folder.write("text.pt", "{\"a\": 1}\n");
  EXPECT_THAT(error_of([&] { load_training_state(text); }),
              StartsWith(text + ": is not a training state, or is damaged"));
  EXPECT_THAT(error_of([&] { load_training_state(folder.path("none.pt")); }),
              StartsWith(folder.path("none.pt") + ": cannot be opened (No such file or directory)"));
}

// It has fields that this version no longer writes.
TEST_F(TrainingStateTest, AnOlderStateIsRead) {
  const TrainingState older =
      load_training_state(tests_folder + "compatibility/14fe82e/runs/rnn/checkpoints/step-25/state.pt");
  EXPECT_EQ(older.progress.updates, 25);
  EXPECT_EQ(older.progress.target_tokens, 2638);
  EXPECT_EQ(older.progress.interval.waited_seconds, 0);  // it was not measured
  EXPECT_EQ(older.progress.position.epoch, 3U);
  EXPECT_EQ(older.progress.held_out_rule, HeldOutRule::any);
  EXPECT_FALSE(older.progress.counted);  // pairs were not counted either
  EXPECT_TRUE(older.tensors.contains("weight/output.bias"));
}

// Every tensor is bit for bit the one that LibTorch's reader gives.
TEST_F(TrainingStateTest, IsReadAsLibTorchDoes) {
  for (const char* run : {"runs/rnn/checkpoints/step-25", "runs/transformer/checkpoints/step-25",
                          "study/runs/copying.1/checkpoints/step-40"}) {
    const std::string path = tests_folder + "compatibility/14fe82e/" + run + "/state.pt";
    SCOPED_TRACE(path);
    const TrainingState ours = load_training_state(path);
    const std::string bytes = read_file(path);
    const auto parts = torch::jit::pickle_load({bytes.begin(), bytes.end()}).toTupleRef().elements().vec();
    const auto theirs = parts.at(1).toGenericDict();
    ASSERT_EQ(ours.tensors.size(), theirs.size());
    for (const auto& entry : theirs) {
      const Tensor &tensor = ours.tensors.at(entry.key().toStringRef()), other = entry.value().toTensor();
      EXPECT_EQ(tensor.scalar_type(), other.scalar_type()) << entry.key();
      EXPECT_EQ(tensor.strides(), other.strides()) << entry.key();
      EXPECT_TRUE(tensor.equal(other)) << entry.key();
    }
  }
}

TEST_F(TrainingStateTest, WhatHoldsAnythingElseIsRefused) {
  const auto expect_refused = [&](const at::IValue& content, const std::string& reason) {
    const std::vector<char> bytes = torch::jit::pickle_save(content);
    const std::string path = folder.write("state.pt", {bytes.data(), bytes.size()});
    EXPECT_THAT(error_of([&] { load_training_state(path); }), StartsWith(path + ": " + reason));
  };
  const std::string damaged = "is not a training state, or is damaged (";
  c10::Dict<std::string, Tensor> tensors;
  tensors.insert("weight/a", at::ones({2}));
  c10::Dict<std::string, std::string> texts;
  const auto pair = [&] { return c10::ivalue::Tuple::create({texts, tensors}); };
  expect_refused(pair(), damaged + "it has no progress)");
  expect_refused(texts, damaged + "it is no pair of dictionaries)");
  expect_refused(c10::ivalue::Tuple::create({tensors, texts}), damaged + "it has no progress)");
  texts.insert("progress", R"({"format": "one"})");
  expect_refused(pair(), damaged + "its progress is malformed)");
  texts.insert_or_assign("progress", R"({"format": 1, "updates": 1e300})");
  expect_refused(pair(), "is not a training state of this version");
  tensors.insert("weight/b", at::quantize_per_tensor(at::ones({2}), 0.5, 0, at::kQInt8));
  expect_refused(pair(), damaged + "it holds quantized tensors)");
}

TEST(ProgressTest, CountsUpdates) {
  Progress progress;
  progress.count({{.loss = 8, .negative_log_likelihood = 6, .coverage_loss = 2, .target_tokens = 4}, 0.5}, 2,
                 0.25);
  progress.count({{.loss = 1, .negative_log_likelihood = 3, .coverage_loss = 5, .target_tokens = 3}, 0.25}, 1,
                 0.5);
  EXPECT_EQ(progress.updates, 2);
  EXPECT_EQ(progress.target_tokens, 7);
  EXPECT_EQ(progress.training_seconds, 3);
  EXPECT_EQ(progress.interval.loss, 9);
  EXPECT_EQ(progress.interval.negative_log_likelihood, 9);
  EXPECT_EQ(progress.interval.coverage_loss, 7);
  EXPECT_EQ(progress.interval.gradient_norm, 0.75);
  EXPECT_EQ(progress.interval.seconds, 3);
  EXPECT_EQ(progress.interval.wait_share(), 0.25);
  EXPECT_EQ(progress.interval.target_tokens, 7);
  EXPECT_EQ(progress.interval.updates, 2);
}

TEST(ProgressTest, KnowsTheBestValidation) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  for (const bool larger : {false, true}) {
    const double sign = larger ? 1 : -1;
    Progress progress;
    const auto validated = [&](double score) {
      ++progress.updates;
      EXPECT_FALSE(progress.validated());
      const bool best = progress.count_validation(sign * score, larger);
      EXPECT_TRUE(progress.validated());
      return best;
    };
    EXPECT_FALSE(validated(nan));
    EXPECT_TRUE(validated(3));
    EXPECT_FALSE(validated(3));
    EXPECT_FALSE(validated(2));
    EXPECT_EQ(progress.stalled_validations, 2);
    EXPECT_TRUE(validated(4));
    EXPECT_EQ(progress.stalled_validations, 0);
    EXPECT_FALSE(validated(std::numeric_limits<double>::infinity()));
    EXPECT_EQ(progress.best_update, 5);
    EXPECT_EQ(progress.best_score, sign * 4);
  }
}

}  // namespace
}  // namespace seq2seq::test
