// A run that is killed between two checkpoints and resumed must end exactly like an uninterrupted one.

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "../support/paths.h"
#include "program.h"
#include "seq2seq/train/training_state.h"

namespace seq2seq {
namespace {

namespace fs = std::filesystem;

class Resume : public testing::Test {
 protected:
  Resume() : folder_(fs::temp_directory_path() / ("seq2seq-resume-" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
  }
  ~Resume() override { fs::remove_all(folder_); }

  pid_t start(const fs::path& run, bool resume) const {
    const std::string data = test::data_folder + "translation/";
    std::vector<std::string> words{"train", "--quiet", "--run-directory", run.string()};
    const std::vector<std::string> settings{"--train-source",
                                            data + "train.en",
                                            "--train-target",
                                            data + "train.de",
                                            "--valid-source",
                                            data + "valid.en",
                                            "--valid-target",
                                            data + "valid.de",
                                            "--tokenizer",
                                            "word",
                                            "--no-shared-vocabulary",
                                            "--embedding.size",
                                            "16",
                                            "--encoder.size",
                                            "16",
                                            "--decoder.size",
                                            "32",
                                            "--encoder.dropout",
                                            "0.3",
                                            "--decoder.dropout",
                                            "0.3",
                                            "--encoder.recurrent-dropout",
                                            "0.2",
                                            "--word-dropout",
                                            "0.1",
                                            "--average-decay",
                                            "0.9",
                                            "--accumulation",
                                            "2",
                                            "--batch-size",
                                            "256",
                                            "--schedule",
                                            "plateau",
                                            "--valid-every",
                                            "20",
                                            "--learning-rate",
                                            "0.01"};
    if (resume)
      words.push_back("--resume");
    else
      words.insert(words.end(), settings.begin(), settings.end());
    const std::vector<std::string> limits{"--max-updates", "60", "--checkpoint-every", "10",
                                          "--log-every",   "1",  "--threads",          "1"};
    words.insert(words.end(), limits.begin(), limits.end());
    return start_program(words);
  }

  /// The lines of the log, without times, speed and memory.
  static std::vector<nlohmann::json> log_of(const fs::path& run) {
    std::vector<nlohmann::json> lines;
    std::ifstream in(run / "train.jsonl");
    for (std::string line; std::getline(in, line);) {
      auto entry = nlohmann::json::parse(line, nullptr, false);
      if (entry.is_discarded()) continue;
      for (const char* key : {"seconds", "target_tokens_per_second", "data_wait_share", "validation_seconds",
                              "peak_memory_mib"})
        entry.erase(key);
      lines.push_back(entry);
    }
    return lines;
  }

  static int64_t logged_updates(const fs::path& run) {
    const auto lines = log_of(run);
    return lines.empty() ? 0 : lines.back().at("update").get<int64_t>();
  }

  fs::path folder_;
};

TEST_F(Resume, AfterSigkillIsTheUninterruptedRunBitForBit) {
  const fs::path whole = folder_ / "whole", killed = folder_ / "killed";
  ASSERT_EQ(wait_for(start(whole, false)), 0);

  const pid_t child = start(killed, false);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(5);
  while (logged_updates(killed) < 25 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  kill(child, SIGKILL);
  ASSERT_TRUE(WIFSIGNALED(wait_for(child)));
  ASSERT_FALSE(fs::exists(killed / "checkpoints" / "step-60")) << "killed too late to show anything";
  ASSERT_EQ(wait_for(start(killed, true)), 0);

  const auto expected = log_of(whole), actual = log_of(killed);
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(actual[i], expected[i]);
  const TrainingState one = load_training_state(whole / "last" / "state.pt");
  const TrainingState other = load_training_state(killed / "last" / "state.pt");
  ASSERT_EQ(one.tensors.size(), other.tensors.size());
  for (const auto& [name, tensor] : one.tensors)
    EXPECT_TRUE(at::equal(tensor, other.tensors.at(name))) << name;
  EXPECT_EQ(one.progress.position, other.progress.position);
  EXPECT_EQ(one.progress.stalled_validations, other.progress.stalled_validations);
}

TEST_F(Resume, SigtermSavesAndIsTold) {
  const fs::path run = folder_ / "stopped";
  const pid_t child = start(run, false);
  while (logged_updates(run) < 3) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  kill(child, SIGTERM);
  const int status = wait_for(child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 128 + SIGTERM);  // not to be taken for a finished run
  const TrainingState state = load_training_state(run / "last" / "state.pt");
  EXPECT_GE(state.progress.updates, 3);
  EXPECT_LT(state.progress.updates, 60);
}

TEST_F(Resume, RefusesANonEmptyFolderAndAMissingRun) {
  fs::create_directories(folder_ / "full");
  std::ofstream(folder_ / "full" / "file") << "text";
  EXPECT_EQ(WEXITSTATUS(wait_for(start(folder_ / "full", false))), 1);
  EXPECT_EQ(WEXITSTATUS(wait_for(start(folder_ / "absent", true))), 1);
}

}  // namespace
}  // namespace seq2seq
