// Files that reach the limit of `ulimit -f`: the write fails, and is told as on a full disk.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "../support/paths.h"
#include "program.h"

namespace seq2seq {
namespace {

namespace fs = std::filesystem;
using testing::ContainsRegex;

class FileLimit : public testing::Test {
 protected:
  FileLimit() { fs::create_directories(folder_); }
  ~FileLimit() override { fs::remove_all(folder_); }

  /// Runs the program, which may write `bytes` into each file; what it says on stderr, once it has exited with 1.
  std::string error_of(const std::vector<std::string>& arguments, rlim_t bytes) const {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) return "no pipe";
    const pid_t child = start_program(arguments, [&] {
      const rlimit limit{bytes, bytes};
      setrlimit(RLIMIT_FSIZE, &limit);
      dup2(open((folder_ / "output").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
      dup2(ends[1], STDERR_FILENO);
      close(ends[0]);
      close(ends[1]);
    });
    close(ends[1]);
    std::string errors;
    std::array<char, 4096> block{};
    for (ssize_t count = 0; (count = read(ends[0], block.data(), block.size())) > 0;)
      errors.append(block.data(), static_cast<size_t>(count));
    close(ends[0]);
    const int status = wait_for(child);
    EXPECT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 1);
    return errors;
  }

  const fs::path folder_ = fs::temp_directory_path() / ("seq2seq-file-limit-" + std::to_string(getpid()));
};

TEST_F(FileLimit, ACheckpointThatIsTooLargeIsToldOf) {
  const std::string text = test::data_folder + "translation/", run = folder_ / "run";
  const std::string errors = error_of({"train",
                                       "--quiet",
                                       "--train-source",
                                       text + "train.en",
                                       "--train-target",
                                       text + "train.de",
                                       "--valid-source",
                                       text + "valid.en",
                                       "--valid-target",
                                       text + "valid.de",
                                       "--tokenizer",
                                       "word",
                                       "--embedding.size",
                                       "32",
                                       "--encoder.size",
                                       "8",
                                       "--decoder.size",
                                       "8",
                                       "--batch-size",
                                       "64",
                                       "--max-updates",
                                       "1",
                                       "--threads",
                                       "1",
                                       "--device",
                                       "cpu",
                                       "--run-directory",
                                       run},
                                      rlim_t{1} << 15);
  EXPECT_THAT(errors, ContainsRegex("^seq2seq: " + run +
                                    "/checkpoints/[^\n]*: cannot be written \\(File too large\\); check free "
                                    "space and permissions\n$"));
  EXPECT_TRUE(fs::is_empty(run + "/checkpoints"));
}

TEST_F(FileLimit, StandardOutputThatIsTooLongIsToldOf) {
  EXPECT_EQ(error_of({"train", "--dump-config"}, 1 << 10),
            "seq2seq: standard output: cannot be written; is the disk full?\n");
  EXPECT_EQ(fs::file_size(folder_ / "output"), 1U << 10);
}

}  // namespace
}  // namespace seq2seq
