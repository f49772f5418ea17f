// Text that changes while a run trains on it, or before the run is resumed.

#include <gmock/gmock.h>

#include <functional>
#include <sstream>

#include "../data/temporary_folder.h"
#include "../support/shadow_device.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/json.h"
#include "seq2seq/core/log.h"
#include "seq2seq/train/trainer.h"
#include "training_support.h"

namespace seq2seq::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Forty pairs, ten batches an epoch, and eight further pairs to validate on. Nothing is kept in memory, so that
/// each batch is read from the files.
class TrainingOnChangedText : public ::testing::Test {
 protected:
  TrainingOnChangedText() {
    set_log_level(LogLevel::quiet);
    options.batch = {BatchUnit::sentences, 4, 2};
    options.loader.cache_mib = 0;
    options.validation.every = 3;
    options.limits.max_updates = 12;
    options.run.directory = folder.path("run");
    options.run.threads = 1;
    options.run.device = test_device().str();
    options.run.log_every = 1;
    options.run.keep_checkpoints = 100;
    use_parallel_text();
  }
  ~TrainingOnChangedText() override { set_log_level(LogLevel::normal); }

  static std::string side(const std::string& letters, int begin, int end) {
    std::string text;
    for (int i = begin; i < end; ++i) {
      for (int word = 0; word <= i % 6; ++word)
        text.append(1, letters[static_cast<size_t>((word * i + i) % 5)]).append(1, ' ');
      text.back() = '\n';
    }
    return text;
  }
  static std::string joined_by(const std::string& before, const std::string& between,
                               const std::string& behind, int begin, int end) {
    std::istringstream left(side("abcde", begin, end)), right(side("vwxyz", begin, end));
    std::string text;
    for (std::string a, b; std::getline(left, a) && std::getline(right, b);)
      text += before + a + between + b + behind + "\n";
    return text;
  }
  static std::string tsv(int begin, int end) { return joined_by("", "\t", "", begin, end); }
  static std::string json_lines(int begin, int end) {
    return joined_by(R"({"source": ")", R"(", "target": ")", R"("})", begin, end);
  }

  void use_parallel_text() {
    options.data = {};
    options.data.train_source = folder.write("t.source", side("abcde", 0, 40));
    options.data.train_target = folder.write("t.target", side("vwxyz", 0, 40));
    options.data.valid_source = folder.write("v.source", side("abcde", 40, 48));
    options.data.valid_target = folder.write("v.target", side("vwxyz", 40, 48));
  }

  StopReason train(bool resume = false, const std::function<bool()>& stop = {},
                   OtherText other = OtherText::refused) {
    std::optional<RunDirectory> resumed;
    if (resume) resumed = RunDirectory::open(options.run.directory);
    return Trainer(options, std::move(resumed), Clock::now(), other).run(stop);
  }
  /// Calls `change` after update 4; returns the message of the error that ends the run.
  std::string train_and(const std::function<void()>& change) {
    int64_t updates = 0;
    return error_of([&] {
      train(false, [&] {
        if (++updates == 4) change();
        return false;
      });
    });
  }
  std::vector<Json> log() const {
    std::vector<Json> lines;
    std::istringstream in(read_file(run() / "train.jsonl"));
    for (std::string line; std::getline(in, line);) lines.push_back(parse_json(line, "train.jsonl"));
    return lines;
  }
  /// The updates, validations and losses.
  std::vector<std::string> course() const {
    std::vector<std::string> events;
    for (const Json& line : log())
      if (line.contains("loss"))
        events.push_back(line["type"].get<std::string>() + line["update"].dump() + " " + line["loss"].dump());
    return events;
  }
  std::vector<std::string> undisturbed_course() {
    const std::string directory = options.run.directory;
    options.run.directory = folder.path("undisturbed");
    train();
    std::vector<std::string> events = course();
    options.run.directory = directory;
    return events;
  }
  void expect_saved_at_4(const std::string& message, const std::string& path) {
    EXPECT_THAT(message, StartsWith(path + ": is no longer the text that was read ("));
    EXPECT_THAT(message,
                HasSubstr("; the run is saved at update 4: put the text back and go on with --resume "
                          "--run-directory " +
                          options.run.directory + ", or add --accept-changed-text"));
    EXPECT_THAT(message, ::testing::Not(HasSubstr("\n")));
    EXPECT_EQ(fs::read_symlink(run() / "last").filename(), "step-4");
    EXPECT_EQ(log().back()["update"], 4);
  }
  fs::path run() const { return options.run.directory; }
  void replace(const std::string& path, const std::string& text) const {
    fs::rename(folder.write("new", text), path);
  }
  /// The same characters, in the opposite order of lines.
  static std::string reversed(const std::string& text) {
    std::istringstream in(text);
    std::string result;
    for (std::string line; std::getline(in, line);) result = line + "\n" + result;
    return result;
  }

  TemporaryFolder folder;
  TrainOptions options = small_training();
};

TEST_F(TrainingOnChangedText, TheSameTextGoesOnAsIfNothingHadBeen) {
  const auto expected = undisturbed_course();
  const std::string path = options.data.train_target, text = read_file(path);
  const std::vector<std::function<void()>> changes = {
      [&] { fs::last_write_time(path, fs::last_write_time(path) - std::chrono::hours(1)); },
      [&] { folder.write("t.target", text); }, [&] { replace(path, text); },
      [&] { replace(options.data.valid_source, read_file(options.data.valid_source)); },
      [&] { fs::remove(path); }};
  for (size_t i = 0; i < changes.size(); ++i) {
    options.run.directory = folder.path("run" + std::to_string(i));
    EXPECT_EQ(train_and(changes[i]), "") << i;
    EXPECT_EQ(course(), expected) << i;
    folder.write("t.target", text);
  }
}

TEST_F(TrainingOnChangedText, AnotherTextEndsTheRunWithACheckpoint) {
  const auto expected = undisturbed_course();
  const std::string path = options.data.train_target, text = read_file(path);
  const std::vector<std::function<void()>> changes = {
      [&] { fs::resize_file(path, text.size() / 2); }, [&] { fs::resize_file(path, 0); },
      [&] { folder.write("t.target", reversed(text)); }, [&] { replace(path, reversed(text)); },
      [&] { folder.write("t.target", text + text); }};
  for (size_t i = 0; i < changes.size(); ++i) {
    SCOPED_TRACE(i);
    options.run.directory = folder.path("run" + std::to_string(i));
    expect_saved_at_4(train_and(changes[i]), path);
    EXPECT_THAT(error_of([&] { train(/*resume=*/true); }), HasSubstr("t.target"));
    folder.write("t.target", text);
    EXPECT_EQ(train(/*resume=*/true), StopReason::limit);
    EXPECT_EQ(course(), expected);
  }
}

TEST_F(TrainingOnChangedText, EveryFileOfARunIsWatched) {
  const auto expect_watched = [&](const std::string& path, const std::function<void()>& change) {
    SCOPED_TRACE(path);
    options.run.directory = path + ".run";
    expect_saved_at_4(train_and(change), path);
  };
  for (const std::string DataOptions::*member :
       {&DataOptions::train_source, &DataOptions::valid_source, &DataOptions::valid_target}) {
    use_parallel_text();
    const std::string path = options.data.*member;
    expect_watched(path, [&] { replace(path, reversed(read_file(path))); });
  }

  use_parallel_text();
  const std::string packed = folder.write_gz("t.source.gz", side("abcde", 0, 40));
  options.data.train_source = packed;
  expect_watched(packed, [&] { folder.write_gz("t.source.gz", side("abcde", 1, 41)); });

  for (const bool json : {false, true}) {
    const std::string name = json ? ".jsonl" : ".tsv";
    const std::string text = json ? json_lines(0, 40) : tsv(0, 40);
    options.data = {};
    options.data.train = folder.write("t" + name, text);
    options.data.valid = folder.write("v" + name, json ? json_lines(40, 48) : tsv(40, 48));
    expect_watched(options.data.train, [&] { folder.write("t" + name, reversed(text)); });
    folder.write("t" + name, text);
    expect_watched(options.data.valid, [&] { fs::resize_file(options.data.valid, 20); });
  }
}

TEST_F(TrainingOnChangedText, AnotherTextBeforeTheFirstUpdateLeavesNoRun) {
  Trainer trainer(options);
  folder.write("t.source", reversed(side("abcde", 0, 40)));
  EXPECT_THAT(error_of([&] { trainer.run(); }),
              AllOf(StartsWith(options.data.train_source + ": is no longer"), HasSubstr("begin again")));
  EXPECT_FALSE(fs::exists(run()));
}

/// A run that has been stopped after update 14, in its second epoch.
class ResumingWithText : public TrainingOnChangedText {
 protected:
  void train_to_14() {
    options.limits.max_updates = 14;
    train();
    options.limits.max_updates = 20;
  }
  /// What is told until the limit is reached.
  std::string told_on_resuming(OtherText other = OtherText::refused) {
    set_log_level(LogLevel::normal);
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(train(/*resume=*/true, {}, other), StopReason::limit);
    set_log_level(LogLevel::quiet);
    return ::testing::internal::GetCapturedStderr();
  }
  Progress progress() const { return load_training_state(run() / "last" / "state.pt").progress; }
};

TEST_F(ResumingWithText, AnotherTextIsRefusedByName) {
  train_to_14();
  const std::string before = read_file(run() / "train.jsonl");
  folder.write("t.target", reversed(side("vwxyz", 0, 40)));
  EXPECT_EQ(error_of([&] { train(/*resume=*/true); }),
            options.data.train_target +
                ": is not the text that the run was trained on; give the run its text back, or add "
                "--accept-changed-text, which begins the present epoch again and draws held-out pairs anew");
  folder.write("v.source", side("abcde", 40, 44));
  folder.write("v.target", side("vwxyz", 40, 44));
  EXPECT_THAT(error_of([&] { train(/*resume=*/true); }),
              StartsWith(options.data.train_target + ", " + options.data.valid_source + ", " +
                         options.data.valid_target +
                         ": are not the texts that the run was trained and validated on; "));
  folder.write("t.target", side("vwxyz", 0, 40));
  folder.write("v.target", side("vwxyz", 40, 48));
  folder.write("v.source", reversed(side("abcde", 40, 48)));
  EXPECT_EQ(
      error_of([&] { train(/*resume=*/true); }),
      options.data.valid_source +
          ": is not the text that the run was validated on; give the run its text back, or add "
          "--accept-changed-text, which begins the present epoch again and takes the next validation for "
          "the first");
  EXPECT_EQ(read_file(run() / "train.jsonl"), before);
  EXPECT_EQ(progress().updates, 14);
  EXPECT_THAT(told_on_resuming(OtherText::accepted),
              HasSubstr(options.data.valid_source +
                        ": not the text of the run so far, as --accept-changed-text allows: epoch 2 begins "
                        "again, and the next validation is the first for best and patience\n"));
}

TEST_F(ResumingWithText, AnAcceptedTextBeginsTheEpochAgain) {
  train_to_14();
  ASSERT_EQ(progress().position.epoch, 1U);
  ASSERT_GT(progress().position.window_begin, 0U);
  const int64_t best = progress().best_update;
  folder.write("t.source", side("abcde", 0, 60));
  folder.write("t.target", side("vwxyz", 0, 60));
  options.limits.max_updates = 28;
  EXPECT_THAT(told_on_resuming(OtherText::accepted),
              HasSubstr(options.data.train_source + ", " + options.data.train_target +
                        ": not the text of the run so far, as --accept-changed-text allows: epoch 2 "
                        "begins again\n"));
  std::vector<Json> told;
  for (const Json& line : log())
    if (line["type"] == "changed_text") told.push_back(line);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].dump(), Json({{"type", "changed_text"},
                                  {"update", 15},
                                  {"epoch", 1},
                                  {"files", options.data.train_source + ", " + options.data.train_target},
                                  {"held_out", 0},
                                  {"best_forgotten", false}})
                                .dump());
  // Fifteen batches of four: updates 15 to 29 are the second epoch.
  EXPECT_EQ(progress().position.epoch, 1U);
  EXPECT_EQ(progress().training_pairs, 60);
  EXPECT_GE(progress().best_update, best);
  options.limits.max_updates = 30;
  EXPECT_EQ(train(/*resume=*/true), StopReason::limit);  // it is the run's text now
  EXPECT_EQ(progress().position.epoch, 2U);
}

TEST_F(ResumingWithText, AnAcceptedTextDrawsHeldOutPairsAnew) {
  options.data.valid_source = options.data.valid_target = "";
  options.data.held_out = 5;
  options.optimization.learning_rate = 0;  // so that no validation is better than the first
  options.validation.patience = 0;
  train_to_14();
  ASSERT_EQ(progress().best_update, 3);
  folder.write("t.source", side("abcde", 3, 50));
  folder.write("t.target", side("vwxyz", 3, 50));
  EXPECT_THAT(
      told_on_resuming(OtherText::accepted),
      HasSubstr("begins again, the 5 held-out pairs are drawn anew, and the next validation is the first "
                "for best and patience\n"));
  EXPECT_EQ(progress().best_update, 15);
  for (const Json& line : log())
    if (line["type"] == "changed_text") {
      EXPECT_EQ(line["held_out"], 5);
      EXPECT_EQ(line["best_forgotten"], true);
    }
}

TEST_F(ResumingWithText, ATextThatHasMovedIsTheSame) {
  options.limits.max_updates = 20;
  const auto expected = undisturbed_course();
  train_to_14();
  fs::create_directory(folder.path("moved"));
  fs::rename(options.data.train_source, folder.path("moved/base.source"));
  options.data.train_source = folder.path("moved/base.source");
  EXPECT_THAT(told_on_resuming(),
              HasSubstr(options.data.train_source + ": the same text as before, in another place\n"));
  EXPECT_EQ(RunDirectory::options_of(run()).data.train_source, options.data.train_source);
  std::vector<std::string> actual = course();
  EXPECT_EQ(actual.back(), expected.back());
  EXPECT_EQ(RunDirectory::options_of(run()).data.train_target, options.data.train_target);
}

TEST_F(ResumingWithText, ATextThatHasBeenPackedIsTheSame) {
  options.limits.max_updates = 20;
  const auto expected = undisturbed_course();
  train_to_14();
  const std::string plain = options.data.train_source, text = read_file(plain);
  options.data.train_source = folder.write_gz("packed.source.gz", text);
  options.limits.max_updates = 16;
  EXPECT_EQ(train(/*resume=*/true), StopReason::limit);
  folder.write_gz("packed.source.gz", reversed(text));
  options.limits.max_updates = 20;
  EXPECT_THAT(error_of([&] { train(/*resume=*/true); }),
              StartsWith(options.data.train_source + ": is not the text"));
  options.data.train_source = plain;
  EXPECT_EQ(train(/*resume=*/true), StopReason::limit);
  EXPECT_EQ(course().back(), expected.back());
}

}  // namespace
}  // namespace seq2seq::test
