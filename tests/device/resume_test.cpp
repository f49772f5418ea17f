// A run may go on on another device.
#include <gtest/gtest.h>

#include "../data/temporary_folder.h"
#include "../support/compare.h"
#include "../support/shadow_device.h"
#include "seq2seq/core/log.h"
#include "seq2seq/train/trainer.h"

namespace seq2seq::test {
namespace {

class DeviceResumeTest : public ::testing::Test {
 protected:
  DeviceResumeTest() {
    set_log_level(LogLevel::quiet);
    options_.data.train_source = options_.data.valid_source =
        folder_.write("t.source", "a b c\nb c\nc a b a\nb\na a c\nc b\n");
    options_.data.train_target = options_.data.valid_target =
        folder_.write("t.target", "x y\ny\nx x z\nz y\nx\ny z z\n");
    options_.batch = {BatchUnit::sentences, 3, 2};
    options_.text.tokenizer = WordTokenizerOptions{};
    options_.model.embedding.size = 4;
    options_.model.encoder = RnnEncoderOptions{.size = 3, .dropout = 0.2};
    options_.model.decoder = RnnDecoderOptions{.size = 5, .dropout = 0.2};
    options_.optimization.learning_rate = 0.05;
    options_.optimization.optimizer =
        AdamOptions{.epsilon = 1e-4};  // magnifies no rounding of tiny gradients
    options_.optimization.average_decay = 0.9;
    options_.run.threads = 1;
  }
  ~DeviceResumeTest() override { set_log_level(LogLevel::normal); }

  /// The state after two updates on one device and two more on the other.
  TrainingState trained(const std::string& first, const std::string& second) {
    options_.run.directory = folder_.path("run " + std::to_string(++runs_));
    options_.run.device = first;
    options_.limits.max_updates = 2;
    train(/*resume=*/false);
    options_.run.device = second;
    options_.limits.max_updates = 4;
    train(/*resume=*/true);
    return load_training_state(std::filesystem::path(options_.run.directory) / "last" / "state.pt");
  }

 private:
  void train(bool resume) {
    std::optional<RunDirectory> run;
    if (resume) run = RunDirectory::open(options_.run.directory);
    Trainer(options_, std::move(run)).run();
  }
  TemporaryFolder folder_;
  TrainOptions options_;
  int runs_ = 0;
};

TEST_F(DeviceResumeTest, ChangesTheResultByRoundingAlone) {
  const TrainingState expected = trained("cpu", "cpu");
  EXPECT_EQ(expected.tensors.at("steps/output.bias").item<double>(), 4);
  const std::string cpu = "cpu", device = test_device().str();
  for (const auto& [first, second] :
       {std::pair(cpu, device), std::pair(device, cpu), std::pair(device, device)}) {
    const TrainingState state = trained(first, second);
    ASSERT_EQ(state.tensors.size(), expected.tensors.size());
    for (const auto& [name, value] : state.tensors) {
      EXPECT_TRUE(value.is_cpu());
      EXPECT_EQ(value.scalar_type(), at::kFloat) << name;
      EXPECT_TRUE(close(value, expected.tensors.at(name), 1e-4)) << first << ", " << second << ": " << name;
    }
    EXPECT_EQ(state.progress.target_tokens, expected.progress.target_tokens);
  }
}

}  // namespace
}  // namespace seq2seq::test
