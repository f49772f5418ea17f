#include "seq2seq/train/run_directory.h"

#include <gmock/gmock.h>

#include <fstream>
#include <set>

#include "../data/temporary_folder.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/train/run_log.h"

namespace seq2seq {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using testing::ThrowsMessage;
using testing::UnorderedElementsAre;

class RunDirectoryTest : public testing::Test {
 protected:
  RunDirectoryTest() { options.run.directory = folder.path("run"); }

  fs::path run_path() const { return folder.path("run"); }
  std::set<std::string> checkpoints() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(run_path() / "checkpoints"))
      names.insert(entry.path().filename().string());
    return names;
  }
  static void write(RunDirectory& run, int64_t update, bool best = false, int64_t keep = 2) {
    run.checkpoint(update, best, keep, [&](const fs::path& into) {
      std::ofstream(into / "state.pt") << update;
      std::ofstream(into / "model.pt") << update;
    });
  }

  TemporaryFolder folder;
  TrainOptions options;
};

TEST_F(RunDirectoryTest, RefusesAFolderThatHoldsSomething) {
  fs::create_directories(run_path());
  {
    RunDirectory run = RunDirectory::create(options);  // an empty folder is accepted
    write(run, 1);
  }
  EXPECT_THAT([&] { RunDirectory::create(options); },
              ThrowsMessage<Error>(
                  AllOf(StartsWith(run_path().string() + ": is not empty"), HasSubstr("add --resume"))));
  options.run.directory = folder.write("file", "text");
  EXPECT_THROW(RunDirectory::create(options), Error);
  EXPECT_EQ(read_file(folder.path("file")), "text");
}

TEST_F(RunDirectoryTest, RefusesAPathThatCannotBeLookedUp) {
  const std::string endless = folder.path(std::string(300, 'x'));
  options.run.directory = endless;
  EXPECT_THAT([&] { RunDirectory::create(options); },
              ThrowsMessage<Error>(StartsWith(endless + ": cannot be created (File name too long); ")));
  EXPECT_THAT([&] { RunDirectory::open(endless); },
              ThrowsMessage<Error>(StartsWith(endless + ": is not a run directory")));
  EXPECT_THAT([&] { RunLog::read(endless); },
              ThrowsMessage<Error>(StartsWith(endless + ": is not a run directory")));
}

TEST_F(RunDirectoryTest, KeepsTheWholeConfiguration) {
  options.optimization.optimizer = AdagradOptions{.initial_accumulator = 0.1234567890123456789};
  options.run.seed = 1234567890123456789;
  options.validation.metrics = {"bleu", "chrf"};
  options.data.train_source = "Übung \"1\".en";
  {
    RunDirectory run = RunDirectory::create(options);
    EXPECT_EQ(options_to_json(run.options()), options_to_json(options));
    write(run, 1);
  }
  EXPECT_EQ(options_to_json(RunDirectory::open(run_path()).options()), options_to_json(options));
}

TEST_F(RunDirectoryTest, RefusesANewerConfiguration) {
  {
    RunDirectory run = RunDirectory::create(options);
    write(run, 1);
  }
  write_file(run_path() / "config.json", R"({"format": 2, "something": "new"})");
  EXPECT_THAT([&] { RunDirectory::open(run_path()); },
              ThrowsMessage<Error>(AllOf(HasSubstr("config.json: was written by a newer seq2seq (format 2)"),
                                         HasSubstr("update seq2seq"))));
}

TEST_F(RunDirectoryTest, OpensOnlyARunWithACheckpoint) {
  EXPECT_THAT([&] { RunDirectory::open(run_path()); },
              ThrowsMessage<Error>(HasSubstr("is not a run directory (no config.json)")));
  RunDirectory::create(options);
  EXPECT_THAT([&] { RunDirectory::open(run_path()); },
              ThrowsMessage<Error>(HasSubstr("has no checkpoint to resume from")));
  {
    RunDirectory run = RunDirectory::create(options);
    write(run, 4);
    write(run, 5);
  }
  EXPECT_EQ(read_file(RunDirectory::open(run_path()).last_checkpoint() / "state.pt"), "5");
  fs::remove(run_path() / "last");  // the checkpoints themselves are complete
  EXPECT_EQ(read_file(RunDirectory::open(run_path()).last_checkpoint() / "state.pt"), "5");
}

TEST_F(RunDirectoryTest, BeginsAnewWhereARunEndedBeforeItsFirstCheckpoint) {
  RunDirectory::create(options);
  RunLog(run_path()).write(PrecisionLine{1, "float32"});
  fs::create_directory(run_path() / "checkpoints" / ".step-3.tmp");
  RunDirectory::create(options);
  EXPECT_FALSE(fs::exists(run_path() / "train.jsonl"));
  std::ofstream(run_path() / "notes") << "mine";
  EXPECT_THROW(RunDirectory::create(options), Error);
  EXPECT_EQ(read_file(run_path() / "notes"), "mine");
}

TEST_F(RunDirectoryTest, IsUsedByOneTrainingAtATime) {
  RunDirectory run = RunDirectory::create(options);
  for (const bool checkpointed : {false, true}) {
    if (checkpointed) write(run, 1);
    EXPECT_THAT([&] { RunDirectory::create(options); }, ThrowsMessage<Error>(HasSubstr("in use by another")));
    EXPECT_THAT([&] { RunDirectory::open(run_path()); },
                ThrowsMessage<Error>(HasSubstr("in use by another")));
  }
}

TEST_F(RunDirectoryTest, KeepsTheNewestAndTheBest) {
  RunDirectory run = RunDirectory::create(options);
  for (int64_t update = 10; update <= 60; update += 10) write(run, update, update == 20);
  EXPECT_THAT(checkpoints(), UnorderedElementsAre("step-20", "step-50", "step-60"));
  write(run, 70, true);
  EXPECT_THAT(checkpoints(), UnorderedElementsAre("step-60", "step-70"));
  write(run, 100, false, 1);  // ordered as numbers, not as text
  EXPECT_THAT(checkpoints(), UnorderedElementsAre("step-70", "step-100"));
}

TEST_F(RunDirectoryTest, LeavesAloneWhatIsNoCheckpoint) {
  RunDirectory run = RunDirectory::create(options);
  write(run, 10);
  fs::copy(run_path() / "checkpoints" / "step-10", run_path() / "checkpoints" / "step-10-mine");
  fs::create_directory(run_path() / "checkpoints" / "step-notes");
  for (const int64_t update : {20, 30, 40}) write(run, update, false, 1);
  EXPECT_THAT(checkpoints(), UnorderedElementsAre("step-10-mine", "step-notes", "step-40"));
}

TEST_F(RunDirectoryTest, LinksAreRelativeSoThatARunCanMove) {
  RunDirectory run = RunDirectory::create(options);
  write(run, 1, true);
  write(run, 2);
  EXPECT_EQ(fs::read_symlink(run_path() / "best"), fs::path("checkpoints") / "step-1");
  EXPECT_EQ(fs::read_symlink(run_path() / "last"), fs::path("checkpoints") / "step-2");
  fs::rename(run_path(), folder.path("moved"));
  EXPECT_EQ(read_file(fs::path(folder.path("moved")) / "best" / "model.pt"), "1");
}

TEST_F(RunDirectoryTest, AnInterruptedCheckpointLeavesNothingHalf) {
  RunDirectory run = RunDirectory::create(options);
  write(run, 1, true);
  EXPECT_THROW(run.checkpoint(2, true, 1,
                              [](const fs::path& into) {
                                std::ofstream(into / "state.pt") << "half";
                                throw std::runtime_error("disk full");
                              }),
               std::runtime_error);
  EXPECT_THAT(checkpoints(), ElementsAre("step-1"));
  EXPECT_EQ(read_file(run_path() / "best" / "state.pt"), "1");
  EXPECT_EQ(read_file(run_path() / "last" / "state.pt"), "1");
}

TEST_F(RunDirectoryTest, RemovesWhatAKilledRunLeft) {
  RunDirectory run = RunDirectory::create(options);
  write(run, 1);
  const fs::path half = run_path() / "checkpoints" / ".step-2.tmp-1234";
  fs::create_directory(half);
  std::ofstream(half / "state.pt") << "half";
  write(run, 3);
  EXPECT_THAT(checkpoints(), UnorderedElementsAre("step-1", "step-3"));
}

TEST_F(RunDirectoryTest, ACheckpointOfAnAbandonedFutureIsReplaced) {
  RunDirectory run = RunDirectory::create(options);
  write(run, 1);
  run.checkpoint(2, false, 2, [](const fs::path& into) { std::ofstream(into / "state.pt") << "damaged"; });
  replace_symlink(run_path() / "last", "checkpoints/step-1");  // as the message on a damaged state advises
  write(run, 2);
  EXPECT_EQ(read_file(run_path() / "last" / "state.pt"), "2");
  EXPECT_THAT(checkpoints(), UnorderedElementsAre("step-1", "step-2"));
}

}  // namespace
}  // namespace seq2seq
