#include "seq2seq/study/training_jobs.h"

#include <gmock/gmock.h>

#include "../data/temporary_folder.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"

namespace seq2seq {
namespace {

using testing::StartsWith;
using testing::ThrowsMessage;

/// A shell in place of `seq2seq train`.
class TrainingJobs : public testing::Test {
 protected:
  TrainingJob job(const std::string& name, const std::string& script) const {
    return {name, {"-c", script}, folder.path(name), folder.path(name + ".log"), {}};
  }
  bool run(
      const std::vector<TrainingJob>& jobs,
      const std::function<bool()>& stop_requested = [] { return false; }) const {
    return run_training_jobs(jobs, "/bin/sh", 2, stop_requested);
  }
  TemporaryFolder folder;
};

TEST_F(TrainingJobs, AllRunAndWhatTheySayIsKept) {
  EXPECT_TRUE(run({job("a", "echo one"), job("b", "echo two >&2"), job("c", "echo three")}));
  EXPECT_EQ(read_file(folder.path("a.log")), "one\n");
  EXPECT_EQ(read_file(folder.path("b.log")), "two\n");
  EXPECT_EQ(read_file(folder.path("c.log")), "three\n");
}

TEST_F(TrainingJobs, TheLastWordsOfOneThatFailsAreTold) {
  const std::string log = "; its log is " + folder.path("b.log");
  EXPECT_THAT(
      [&] {
        run({job("a", "exec sleep 60"), job("b", "echo 'seq2seq: no text'; exit 1")});
      },
      ThrowsMessage<Error>("run b: no text" + log));
  EXPECT_THAT([&] { run({job("b", "exit 3")}); }, ThrowsMessage<Error>("run b: ended with status 3" + log));
  EXPECT_THAT([&] { run({job("b", "kill -KILL $$")}); },
              ThrowsMessage<Error>("run b: was ended by signal 9" + log + "; the same command goes on"));
  EXPECT_THAT([&] { run_training_jobs({job("b", "")}, folder.path("nothing"), 1, [] { return false; }); },
              ThrowsMessage<Error>(StartsWith("run b: this program cannot be started again")));
}

TEST_F(TrainingJobs, ThoseThatRunAreAskedToEndAndNoOtherBegins) {
  const std::string waiting = "trap 'echo saved; exit 143' TERM; echo begun; while :; do sleep 0.05; done";
  const auto begun = [&] {
    return std::filesystem::exists(folder.path("b.log")) && read_file(folder.path("a.log")) == "begun\n" &&
           read_file(folder.path("b.log")) == "begun\n";
  };
  EXPECT_FALSE(run({job("a", waiting), job("b", waiting), job("c", "true")}, begun));
  EXPECT_EQ(read_file(folder.path("a.log")), "begun\nsaved\n");
  EXPECT_EQ(read_file(folder.path("b.log")), "begun\nsaved\n");
  EXPECT_FALSE(std::filesystem::exists(folder.path("c.log")));
}

}  // namespace
}  // namespace seq2seq
