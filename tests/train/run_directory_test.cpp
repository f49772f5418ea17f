#include "seq2seq/train/run_directory.h"

#include <gmock/gmock.h>

#include <fstream>
#include <set>

#include "../data/temporary_folder.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/train/run_log.h"
#include "seq2seq/train/training_state.h"

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

  RunDirectory begun() const {
    RunDirectory run = RunDirectory::create(options);
    run.begin(options);
    return run;
  }
  fs::path run_path() const { return folder.path("run"); }
  std::set<std::string> checkpoints() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(run_path() / "checkpoints"))
      names.insert(entry.path().filename().string());
    return names;
  }
  static void write(RunDirectory& run, int64_t update, bool best = false, int64_t keep = 2) {
    run.checkpoint(update, best, {keep}, [&](const fs::path& into) {
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
    RunDirectory run = begun();  // an empty folder is accepted
    write(run, 1);
  }
  EXPECT_THAT([&] { RunDirectory::create(options); },
              ThrowsMessage<Error>(
                  AllOf(StartsWith(run_path().string() + ": is not empty"), HasSubstr("add --resume"))));
  fs::remove_all(run_path() / "last");
  fs::remove_all(run_path() / "checkpoints");  // no run is left that --resume could go on with
  EXPECT_EQ(error_of([&] { RunDirectory::create(options); }),
            run_path().string() + ": is not empty; name another --run-directory");
  EXPECT_EQ(error_of([&] { RunDirectory::open(run_path()); }),
            run_path().string() +
                ": has no checkpoint to resume from; leave out --resume and name another --run-directory");
  options.run.directory = folder.write("file", "text");
  EXPECT_THROW(RunDirectory::create(options), Error);
  EXPECT_EQ(read_file(folder.path("file")), "text");
}

TEST_F(RunDirectoryTest, BeginsAgainAfterOneThatWasKilledBeforeItsConfiguration) {
  fs::create_directories(run_path() / "checkpoints");
  EXPECT_NO_THROW(RunDirectory::create(options));
  std::ofstream(run_path() / ".config.json.tmp-17") << "{";
  begun();
  EXPECT_FALSE(fs::exists(run_path() / ".config.json.tmp-17"));
  EXPECT_TRUE(fs::exists(run_path() / "config.json"));
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

TEST_F(RunDirectoryTest, RefusesALinkThatLeadsNowhere) {
  const std::string link = folder.path("link");
  fs::create_directory_symlink("nowhere", link);
  for (const std::string& path : {link, link + "/", link + "/run"}) {
    options.run.directory = path;
    const auto problem = ThrowsMessage<Error>(
        StartsWith(link + ": is a link to 'nowhere', which does not exist; create that"));
    EXPECT_THAT([&] { RunDirectory::create(options); }, problem);
    EXPECT_THAT([&] { RunDirectory::open(path); }, problem);
  }
  EXPECT_FALSE(fs::exists(folder.path("nowhere")));
  fs::create_directory(folder.path("nowhere"));
  for (const std::string& path : {link + "/run", link}) {
    options.run.directory = path;
    EXPECT_NO_THROW(RunDirectory::create(options).discard());
  }
}

// Whatever it was: a link, a folder with its own rights, nothing, a run that ended before its first checkpoint.
TEST_F(RunDirectoryTest, ARunThatIsDiscardedLeavesWhatWasThere) {
  const auto start_and_fail = [&](const fs::path& path) {
    options.run.directory = path;
    RunDirectory::create(options).discard();
  };
  start_and_fail(folder.path("a/b/run"));
  EXPECT_FALSE(fs::exists(folder.path("a")));
  fs::create_directory(folder.path("a"));
  start_and_fail(folder.path("a/b/run/"));
  EXPECT_TRUE(fs::is_empty(folder.path("a")));
  EXPECT_TRUE(fs::exists(folder.path("a")));

  const auto own = fs::perms::owner_all | fs::perms::group_write | fs::perms::group_exec;
  fs::permissions(folder.path("a"), own);
  start_and_fail(folder.path("a"));
  EXPECT_EQ(fs::status(folder.path("a")).permissions(), own);
  fs::create_directory_symlink("a", folder.path("link"));
  start_and_fail(folder.path("link"));
  EXPECT_EQ(fs::read_symlink(folder.path("link")), "a");

  options.run.seed = 5;
  options.run.directory = folder.path("link");
  begun();
  folder.write("link/train.jsonl", "some lines");
  const std::string config = read_file(folder.path("a/config.json"));
  options.run.seed = 6;
  start_and_fail(folder.path("link"));
  EXPECT_EQ(read_file(folder.path("a/config.json")), config);
  EXPECT_EQ(read_file(folder.path("a/train.jsonl")), "some lines");
  EXPECT_TRUE(fs::exists(folder.path("a/checkpoints")));
}

TEST_F(RunDirectoryTest, ABeginningThatFailsIsDiscardedToo) {
  RunDirectory run = RunDirectory::create(options);
  fs::create_directory(run_path() / "config.json");
  EXPECT_THROW(run.begin(options), Error);
  fs::remove(run_path() / "config.json");
  run.discard();
  EXPECT_FALSE(fs::exists(run_path()));
}

TEST_F(RunDirectoryTest, NothingOfARunThatHasBegunIsDiscarded) {
  begun().discard();
  EXPECT_TRUE(fs::exists(run_path() / "config.json"));
  EXPECT_TRUE(fs::exists(run_path() / "checkpoints"));
  {
    RunDirectory run = begun();
    write(run, 1);
  }
  RunDirectory::open(run_path()).discard();
  EXPECT_THAT(checkpoints(), ElementsAre("step-1"));
}

TEST_F(RunDirectoryTest, KeepsTheWholeConfiguration) {
  options.optimization.optimizer = AdagradOptions{.initial_accumulator = 0.1234567890123456789};
  options.run.seed = 1234567890123456789;
  options.validation.metrics = {"bleu", "chrf"};
  options.data.train_source = "Übung \"1\".en";
  {
    RunDirectory run = begun();
    EXPECT_EQ(options_to_json(run.options()), options_to_json(options));
    write(run, 1);
  }
  EXPECT_EQ(options_to_json(RunDirectory::open(run_path()).options()), options_to_json(options));
}

TEST_F(RunDirectoryTest, RefusesANewerConfiguration) {
  {
    RunDirectory run = begun();
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
  begun();
  EXPECT_THAT([&] { RunDirectory::open(run_path()); },
              ThrowsMessage<Error>(HasSubstr("has no checkpoint to resume from")));
  {
    RunDirectory run = begun();
    write(run, 4);
    write(run, 5);
  }
  EXPECT_EQ(read_file(RunDirectory::open(run_path()).last_checkpoint() / "state.pt"), "5");
  fs::remove(run_path() / "last");  // the checkpoints themselves are complete
  EXPECT_EQ(read_file(RunDirectory::open(run_path()).last_checkpoint() / "state.pt"), "5");
}

TEST_F(RunDirectoryTest, BeginsAnewWhereARunEndedBeforeItsFirstCheckpoint) {
  begun();
  RunLog(run_path()).write(PrecisionLine{1, "float32"});
  fs::create_directory(run_path() / "checkpoints" / ".step-3.tmp");
  RunDirectory::create(options);
  EXPECT_TRUE(fs::exists(run_path() / "train.jsonl"));
  begun();
  EXPECT_FALSE(fs::exists(run_path() / "train.jsonl"));
  std::ofstream(run_path() / "notes") << "mine";
  EXPECT_THROW(RunDirectory::create(options), Error);
  EXPECT_EQ(read_file(run_path() / "notes"), "mine");
}

TEST_F(RunDirectoryTest, IsUsedByOneTrainingAtATime) {
  RunDirectory run = begun();
  for (const bool checkpointed : {false, true}) {
    if (checkpointed) write(run, 1);
    EXPECT_THAT([&] { RunDirectory::create(options); }, ThrowsMessage<Error>(HasSubstr("in use by another")));
    EXPECT_THAT([&] { RunDirectory::open(run_path()); },
                ThrowsMessage<Error>(HasSubstr("in use by another")));
  }
}

TEST_F(RunDirectoryTest, KeepsTheNewestAndTheBest) {
  RunDirectory run = begun();
  for (int64_t update = 10; update <= 60; update += 10) write(run, update, update == 20);
  EXPECT_THAT(checkpoints(), UnorderedElementsAre("step-20", "step-50", "step-60"));
  write(run, 70, true);
  EXPECT_THAT(checkpoints(), UnorderedElementsAre("step-60", "step-70"));
  write(run, 100, false, 1);  // ordered as numbers, not as text
  EXPECT_THAT(checkpoints(), UnorderedElementsAre("step-70", "step-100"));
}

TEST_F(RunDirectoryTest, GoesOnFromTheBestThatCounts) {
  RunDirectory run = begun();
  write(run, 10, true);
  run.checkpoint(15, true, {.newest = 1, .best = 10}, [](const fs::path& into) {
    for (const char* file : {"state.pt", "model.pt"}) std::ofstream(into / file) << 15;
  });
  EXPECT_EQ(fs::read_symlink(run_path() / "best"), fs::path("checkpoints") / "step-15");
  EXPECT_THAT(checkpoints(), UnorderedElementsAre("step-10", "step-15"));
  run.go_on({.newest = 1, .best = 10});
  EXPECT_EQ(fs::read_symlink(run_path() / "best"), fs::path("checkpoints") / "step-10");
  EXPECT_EQ(fs::read_symlink(run_path() / "last"), fs::path("checkpoints") / "step-15");
  run.go_on({.newest = 1, .best = 5});  // whose checkpoint is not there
  EXPECT_EQ(fs::read_symlink(run_path() / "best"), fs::path("checkpoints") / "step-10");
  run.go_on({.newest = 1, .best = -1});
  EXPECT_FALSE(fs::is_symlink(run_path() / "best"));
  EXPECT_EQ(read_file(run.last_checkpoint() / "state.pt"), "15");
}

// A full disk must be relieved before the next checkpoint is written.
TEST_F(RunDirectoryTest, ALowerNumberOfCheckpointsHoldsAtOnce) {
  RunDirectory run = begun();
  for (int64_t update = 10; update <= 50; update += 10) write(run, update, update == 20, 9);
  fs::create_directory(run_path() / "checkpoints" / ".step-60.tmp-1234");
  run.go_on({.newest = 1, .best = 20});
  EXPECT_THAT(checkpoints(), UnorderedElementsAre("step-20", "step-50"));
}

/// A copy of the run whose links have become folders, with real states in its checkpoints.
class CopiedRun : public RunDirectoryTest {
 protected:
  CopiedRun() {
    RunDirectory run = begun();
    for (const int64_t update : {10, 20})
      run.checkpoint(update, update == 10, {}, [&](const fs::path& into) {
        TrainingState state;
        state.progress.updates = update;
        save_training_state(state, into / "state.pt");
        std::ofstream(into / "model.pt") << update;
      });
    fs::copy(run_path(), copy, fs::copy_options::recursive);
  }
  void go_on() const { RunDirectory::open(copy).go_on({.newest = 2, .best = 10}); }
  void expect_links() const {
    EXPECT_EQ(fs::read_symlink(copy / "best"), fs::path("checkpoints") / "step-10");
    EXPECT_EQ(fs::read_symlink(copy / "last"), fs::path("checkpoints") / "step-20");
    EXPECT_EQ(read_file(copy / "best" / "model.pt"), "10");
    EXPECT_EQ(read_file(copy / "last" / "model.pt"), "20");
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(copy / "checkpoints"))
      names.insert(entry.path().filename().string());
    EXPECT_THAT(names, ElementsAre("step-10", "step-20"));
  }

  const fs::path copy = folder.path("copy");
};

TEST_F(CopiedRun, HasItsLinksAgain) {
  go_on();
  expect_links();
}

TEST_F(CopiedRun, NeedsNoOtherCheckpoints) {
  fs::remove_all(copy / "checkpoints");
  go_on();
  expect_links();
}

TEST_F(CopiedRun, CompletesACheckpointThatIsNotWhole) {
  fs::remove(copy / "checkpoints" / "step-10" / "model.pt");
  go_on();
  expect_links();
}

TEST_F(CopiedRun, NeedsNoLinks) {
  for (const char* link : {"best", "last"}) fs::remove_all(copy / link);
  go_on();
  EXPECT_EQ(read_file(copy / "best" / "model.pt"), "10");
  EXPECT_EQ(RunDirectory::open(copy).last_checkpoint().filename(), "step-20");
}

TEST_F(CopiedRun, RemovesNoFolderThatItDoesNotKnow) {
  fs::remove(copy / "best" / "state.pt");
  std::ofstream(copy / "best" / "notes") << "mine";
  EXPECT_THAT([&] { go_on(); }, ThrowsMessage<Error>(StartsWith((copy / "best").string() +
                                                                ": is a folder, not a link, and holds no")));
  EXPECT_EQ(read_file(copy / "best" / "notes"), "mine");
}

TEST_F(CopiedRun, GoesOnFromTheBestWhereNothingElseIsLeft) {
  for (const char* gone : {"last", "checkpoints"}) fs::remove_all(copy / gone);
  EXPECT_TRUE(RunDirectory::can_resume(copy));
  EXPECT_EQ(RunDirectory::open(copy).last_checkpoint(), copy / "best");
  go_on();
  EXPECT_EQ(fs::read_symlink(copy / "best"), fs::path("checkpoints") / "step-10");
  EXPECT_EQ(RunDirectory::open(copy).last_checkpoint(), copy / "checkpoints" / "step-10");
  EXPECT_EQ(read_file(copy / "best" / "model.pt"), "10");
}

TEST_F(CopiedRun, GoesOnFromTheNewestThatIsWhole) {
  fs::remove(copy / "last" / "state.pt");
  EXPECT_EQ(RunDirectory::open(copy).last_checkpoint(), copy / "checkpoints" / "step-20");
  fs::remove(copy / "checkpoints" / "step-20" / "model.pt");
  EXPECT_EQ(RunDirectory::open(copy).last_checkpoint(), copy / "checkpoints" / "step-10");
  fs::remove_all(copy / "last");
  RunDirectory::open(copy).go_on({.newest = 1, .best = -1});
  EXPECT_EQ(RunDirectory::open(copy).last_checkpoint(), copy / "checkpoints" / "step-10");
}

TEST_F(CopiedRun, AModelWithoutItsStateBeginsAnotherRun) {
  for (const char* gone : {"last", "checkpoints"}) fs::remove_all(copy / gone);
  fs::remove(copy / "best" / "state.pt");
  const std::string remedy = "name another --run-directory (with --initialize-from " +
                             (copy / "best" / "model.pt").string() + " the new run begins with that model)";
  options.run.directory = copy;
  EXPECT_EQ(error_of([&] { RunDirectory::create(options); }), copy.string() + ": is not empty; " + remedy);
  EXPECT_EQ(error_of([&] { RunDirectory::open(copy); }),
            copy.string() + ": has no checkpoint to resume from; leave out --resume and " + remedy);
}

/// Whatever may be left of a run, with its links as links or, if so named, as folders.
class WhatIsLeft : public CopiedRun, public testing::WithParamInterface<bool> {
 protected:
  struct Parts {
    bool config, log, checkpoints, steps, last, best;
  };
  static std::vector<Parts> all_parts() {
    std::vector<Parts> all;
    for (unsigned bits = 0; bits < 64; ++bits) {
      const auto has = [&](unsigned at) { return (bits >> at & 1U) != 0; };
      if (has(2) || !has(3)) all.push_back({has(0), has(1), has(2), has(3), has(4), has(5)});
    }
    return all;
  }

  /// A folder with these parts of the run. A link leads nowhere where the steps are gone.
  fs::path folder_with(const Parts& parts, size_t number) const {
    const fs::path left = folder.path("left" + std::to_string(number));
    fs::create_directory(left);
    if (parts.config) fs::copy(run_path() / "config.json", left / "config.json");
    if (parts.log) std::ofstream(left / "train.jsonl") << "{}\n";
    if (parts.checkpoints) fs::create_directory(left / "checkpoints");
    for (const char* step : {"step-10", "step-20"})
      if (parts.steps) fs::copy(run_path() / "checkpoints" / step, left / "checkpoints" / step);
    if (parts.last) copy_link("last", left);
    if (parts.best) copy_link("best", left);
    return left;
  }
  std::string message_of_create(const fs::path& run) {
    options.run.directory = run;
    return error_of([&] { RunDirectory::create(options); });
  }
  static std::string message_of_open(const fs::path& run) {
    return error_of([&] { RunDirectory::open(run); });
  }
  /// The checkpoint whose model a new run may begin with; empty if there is none.
  std::string model_in(const fs::path& run, const Parts& parts) const {
    if (parts.last && (GetParam() || parts.steps)) return run / "last";
    if (parts.steps) return run / "checkpoints" / "step-20";
    return parts.best && GetParam() ? (run / "best").string() : "";
  }

 private:
  void copy_link(const char* name, const fs::path& to) const {
    if (GetParam())
      fs::copy(run_path() / name, to / name);
    else
      fs::copy_symlink(run_path() / name, to / name);
  }
};

// What a message says works.
TEST_P(WhatIsLeft, IsResumedOrBegunAgainOrLeft) {
  size_t resumed = 0, begun_again = 0, left = 0;
  for (const Parts& parts : all_parts()) {
    const fs::path run = folder_with(parts, resumed + begun_again + left);
    SCOPED_TRACE(testing::Message() << "config.json " << parts.config << ", train.jsonl " << parts.log
                                    << ", checkpoints " << parts.checkpoints << ", steps " << parts.steps
                                    << ", last " << parts.last << ", best " << parts.best);
    const std::string to_create = message_of_create(run), to_open = message_of_open(run);
    const bool whole = parts.steps || (GetParam() && (parts.last || parts.best));
    if (parts.config && whole) {
      ++resumed;
      EXPECT_EQ(to_create, run.string() +
                               ": is not empty; add --resume to go on with that run, or name another "
                               "--run-directory");
      EXPECT_EQ(to_open, "");
      RunDirectory::open(run).go_on({.newest = 2, .best = 10});
      EXPECT_EQ(read_file(RunDirectory::open(run).last_checkpoint() / "model.pt"),
                parts.steps || parts.last ? "20" : "10");
      if (parts.best) {
        EXPECT_EQ(fs::read_symlink(run / "best"), fs::path("checkpoints") / "step-10");
        EXPECT_EQ(read_file(run / "best" / "model.pt"), "10");
      }
    } else if (to_create.empty()) {
      ++begun_again;
      EXPECT_THAT(to_open, HasSubstr("; leave out --resume to begin a new run there"));
      RunDirectory::create(options).begin(options);
      EXPECT_EQ(options_to_json(RunDirectory::options_of(run)), options_to_json(options));
    } else {
      ++left;
      const std::string model = model_in(run, parts);
      const std::string remedy = "name another --run-directory" +
                                 (model.empty() ? ""
                                                : " (with --initialize-from " + model +
                                                      "/model.pt the new run begins with that model)");
      EXPECT_EQ(to_create, run.string() + ": is not empty; " + remedy);
      EXPECT_THAT(to_open, testing::EndsWith("; leave out --resume and " + remedy));
    }
  }
  // Of 24 folders with a configuration 8 have steps, and of the others 12 a folder `last` or `best`. Empty ones are
  // free, and those of checkpoints alone, with a configuration, and with a log as well.
  EXPECT_EQ(resumed, GetParam() ? 20U : 8U);
  EXPECT_EQ(begun_again, 4U);
  EXPECT_EQ(left, 48 - resumed - begun_again);
}

INSTANTIATE_TEST_SUITE_P(LinksAndFolders, WhatIsLeft, testing::Bool());

TEST_F(RunDirectoryTest, LeavesAloneWhatIsNoCheckpoint) {
  RunDirectory run = begun();
  write(run, 10);
  fs::copy(run_path() / "checkpoints" / "step-10", run_path() / "checkpoints" / "step-10-mine");
  fs::create_directory(run_path() / "checkpoints" / "step-notes");
  for (const int64_t update : {20, 30, 40}) write(run, update, false, 1);
  EXPECT_THAT(checkpoints(), UnorderedElementsAre("step-10-mine", "step-notes", "step-40"));
}

TEST_F(RunDirectoryTest, LinksAreRelativeSoThatARunCanMove) {
  RunDirectory run = begun();
  write(run, 1, true);
  write(run, 2);
  EXPECT_EQ(fs::read_symlink(run_path() / "best"), fs::path("checkpoints") / "step-1");
  EXPECT_EQ(fs::read_symlink(run_path() / "last"), fs::path("checkpoints") / "step-2");
  fs::rename(run_path(), folder.path("moved"));
  EXPECT_EQ(read_file(fs::path(folder.path("moved")) / "best" / "model.pt"), "1");
}

TEST_F(RunDirectoryTest, AnInterruptedCheckpointLeavesNothingHalf) {
  RunDirectory run = begun();
  write(run, 1, true);
  EXPECT_THROW(run.checkpoint(2, true, {1},
                              [](const fs::path& into) {
                                std::ofstream(into / "state.pt") << "half";
                                throw std::runtime_error("disk full");
                              }),
               std::runtime_error);
  EXPECT_THAT(checkpoints(), ElementsAre("step-1"));
  EXPECT_EQ(read_file(run_path() / "best" / "state.pt"), "1");
  EXPECT_EQ(read_file(run_path() / "last" / "state.pt"), "1");
}

TEST_F(RunDirectoryTest, ACheckpointThatLostAFileIsNone) {
  RunDirectory run = begun();
  write(run, 1);
  const auto cleaned = [&] {
    run.checkpoint(2, true, {2}, [](const fs::path& into) { std::ofstream(into / "model.pt") << 2; });
  };
  EXPECT_THAT(cleaned,
              ThrowsMessage<Error>(AllOf(StartsWith((run_path() / "checkpoints" / "step-2").string()),
                                         HasSubstr("lost a file while it was written"))));
  EXPECT_THAT(checkpoints(), ElementsAre("step-1"));
  EXPECT_EQ(fs::read_symlink(run_path() / "last").filename(), "step-1");
}

TEST_F(RunDirectoryTest, RemovesWhatAKilledRunLeft) {
  RunDirectory run = begun();
  write(run, 1);
  const fs::path half = run_path() / "checkpoints" / ".step-2.tmp-1234";
  fs::create_directory(half);
  std::ofstream(half / "state.pt") << "half";
  write(run, 3);
  EXPECT_THAT(checkpoints(), UnorderedElementsAre("step-1", "step-3"));
}

TEST_F(RunDirectoryTest, ACheckpointOfAnAbandonedFutureIsReplaced) {
  RunDirectory run = begun();
  write(run, 1);
  write(run, 2);
  std::ofstream(run_path() / "checkpoints" / "step-2" / "state.pt") << "damaged";
  replace_symlink(run_path() / "last", "checkpoints/step-1");  // as the message on a damaged state advises
  write(run, 2);
  EXPECT_EQ(read_file(run_path() / "last" / "state.pt"), "2");
  EXPECT_THAT(checkpoints(), UnorderedElementsAre("step-1", "step-2"));
}

}  // namespace
}  // namespace seq2seq
