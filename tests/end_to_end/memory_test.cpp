// Training must not keep the corpus in memory: beyond what --cache-mib grants, its memory grows only by the
// positions of the lines.

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "../data/temporary_folder.h"
#include "program.h"

namespace seq2seq {
namespace {

namespace fs = std::filesystem;

constexpr int64_t few = 8000, many = 20 * few;
// Eight bytes per line of two files, and what the allocator keeps after the search for duplicates. The text
// itself has 70 bytes per pair.
constexpr double bytes_a_pair = 32;

class Memory : public testing::Test {
 protected:
  /// Lines of equal length, all different: oneDNN keeps something for every shape of a batch, which must not
  /// distort the comparison.
  std::string write_corpus(const std::string& side, int64_t lines) const {
    std::string text;
    for (int64_t i = 0; i < lines; ++i) text += "a woman sees the small house " + std::to_string(i) + "\n";
    return folder_.write(std::to_string(lines) + "." + side, text);
  }

  /// Anonymous memory in bytes after 20 updates on this many pairs.
  int64_t memory_of_training(int64_t pairs) const {
    const fs::path run = folder_.path("run-" + std::to_string(pairs));
    const pid_t child = start_program({"train",
                                       "--quiet",
                                       "--train-source",
                                       write_corpus("source", pairs),
                                       "--train-target",
                                       write_corpus("target", pairs),
                                       "--held-out",
                                       "100",
                                       "--remove-duplicates",
                                       "--tokenizer",
                                       "word",
                                       "--source-vocabulary",
                                       folder_.write("vocabulary.txt", "the\na\n"),
                                       "--max-unknown",
                                       "1",
                                       "--embedding.size",
                                       "8",
                                       "--encoder.size",
                                       "8",
                                       "--decoder.size",
                                       "8",
                                       "--batch-size",
                                       "256",
                                       "--valid-every",
                                       "1000000",
                                       "--log-every",
                                       "20",
                                       "--threads",
                                       "1",
                                       "--cache-mib",
                                       "0",
                                       "--run-directory",
                                       run.string()});
    const auto running = [&] { return waitpid(child, nullptr, WNOHANG) == 0; };
    const auto logged = [&] {
      std::error_code missing;
      return fs::file_size(run / "train.jsonl", missing) > 0 && !missing;
    };
    while (running() && !logged()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    const int64_t memory = anonymous_memory(child);
    kill(child, SIGKILL);
    wait_for(child);
    return memory;
  }

  static int64_t anonymous_memory(pid_t process) {
    std::ifstream in("/proc/" + std::to_string(process) + "/status");
    for (std::string word; in >> word;)
      if (int64_t kilobytes = 0; word == "RssAnon:" && in >> kilobytes) return 1024 * kilobytes;
    return 0;
  }

  TemporaryFolder folder_;
};

TEST_F(Memory, DoesNotGrowWithTheCorpus) {
  const int64_t small = memory_of_training(few), large = memory_of_training(many);
  ASSERT_GT(small, 0);
  ASSERT_GT(large, 0);
  const double growth = static_cast<double>(large - small) / static_cast<double>(many - few);
  RecordProperty("bytes_a_pair", std::to_string(growth));
  EXPECT_LE(growth, bytes_a_pair) << small << " bytes for " << few << " pairs, " << large << " for " << many;
}

}  // namespace
}  // namespace seq2seq
