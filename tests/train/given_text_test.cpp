#include "seq2seq/train/given_text.h"

#include <gmock/gmock.h>

#include "../data/temporary_folder.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/log.h"
#include "seq2seq/train/trainer.h"
#include "training_support.h"

namespace seq2seq::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Twenty pairs of ten words on each side.
class GivenTextTest : public ::testing::Test {
 protected:
  GivenTextTest() {
    set_log_level(LogLevel::quiet);
    std::string source, target;
    for (int i = 0; i < 20; ++i) {
      source += "a b c d e f g h i j\n";
      target += "q r s t u v w x y z\n";
    }
    options.data.train_source = folder.write("source", source);
    options.data.train_target = folder.write("target", target);
    options.data.valid = folder.write("valid.tsv", "a b\tq r\n");
    options.text.tokenizer = WhitespaceTokenizerOptions{};
    options.text.shared_vocabulary = false;
    give("abcdefghij", "qrstuvwxyz");
    options.limits.max_updates = 1;
    options.run.directory = folder.path("run");
    options.run.threads = 1;
    options.run.device = "cpu";
  }
  ~GivenTextTest() override { set_log_level(LogLevel::normal); }

  void give(const std::string& source, const std::string& target) {
    options.text.source_vocabulary = folder.write("source.txt", lines(source));
    options.text.target_vocabulary = folder.write("target.txt", lines(target));
  }
  static std::string lines(const std::string& letters) {
    std::string text;
    for (const char letter : letters) text += std::string(1, letter) + "\n";
    return text;
  }
  /// What a run says before it trains: warnings, or the error.
  std::string told() {
    testing::internal::CaptureStderr();
    const std::string error = error_of([&] { Trainer trainer(options); });
    return testing::internal::GetCapturedStderr() + error;
  }

  TemporaryFolder folder;
  TrainOptions options = small_training();
};

TEST_F(GivenTextTest, WhatIsKnownIsNotSpokenOf) {
  EXPECT_EQ(told(), "");
  give("abcdefghi", "qrstuvwxy");  // a tenth is not above a tenth
  EXPECT_EQ(told(), "");
}

TEST_F(GivenTextTest, AWarningAboveATenthAndAnErrorAboveAHalf) {
  give("abcde", "qrstuvwx");
  const std::string remedy =
      "; give what was made of such text with this tokenizer, or leave it out to have it made\n";
  EXPECT_EQ(told(),
            "warning: " + folder.path("source.txt") +
                ": 50.0% of the source's tokens become <unk> in the first 20 pairs, such as 'f', 'g', "
                "'h'" +
                remedy + "warning: " + folder.path("target.txt") +
                ": 20.0% of the target's tokens become <unk> in the first 20 pairs, such as 'y', 'z'" +
                remedy);
  give("abcdefghij", "qrst");
  options.run.directory = folder.path("refused");
  EXPECT_THAT(told(), AllOf(StartsWith(folder.path("target.txt") + ": 60.0% of the target's tokens"),
                            HasSubstr("--max-unknown is 0.5"), HasSubstr("raise --max-unknown")));
  EXPECT_FALSE(std::filesystem::exists(options.run.directory));
}

TEST_F(GivenTextTest, TheBoundOfTheErrorIsAnOption) {
  give("abcd", "qrstuvwxyz");
  options.data.maximum_unknown = 0.6;
  EXPECT_THAT(told(), StartsWith("warning: " + folder.path("source.txt") + ": 60.0%"));
  options.data.maximum_unknown = 0.05;
  give("abcdefghi", "qrstuvwxyz");
  EXPECT_THAT(told(), StartsWith(folder.path("source.txt") + ": 10.0% of the source's tokens"));
}

TEST_F(GivenTextTest, OfAVocabularyMadeOfTheTextNothingIsCounted) {
  options.text.source_vocabulary = options.text.target_vocabulary = "";
  options.text.vocabulary_size = 5;  // all but one word are unknown
  EXPECT_EQ(told(), "");
}

TEST_F(GivenTextTest, WordsThatCopyingCanWriteDoNotCount) {
  options.data.train_target = options.data.train_source;
  give("abcd", "abcd");
  EXPECT_THAT(told(), HasSubstr("60.0% of the source's"));
  options.model.copying = true;
  EXPECT_EQ(told(), "");
}

TEST_F(GivenTextTest, AModelOfOtherTextIsRefused) {
  options.text.source_vocabulary = options.text.target_vocabulary = "";
  Trainer(options).run();
  options.run.initialize_from = options.run.directory;
  options.run.directory = folder.path("tuned");
  EXPECT_EQ(told(), "");
  options.data.train_source = options.data.train_target;
  EXPECT_THAT(told(), AllOf(StartsWith(options.run.initialize_from + ": 100.0% of the source's tokens"),
                            HasSubstr("begin with a model of such text")));
}

TEST_F(GivenTextTest, AResumedRunIsNotJudgedAgain) {
  give("abcd", "qrstuvwxyz");
  options.data.maximum_unknown = 1;
  Trainer(options).run();
  options.data.maximum_unknown = 0.5;
  options.limits.max_updates = 2;
  EXPECT_EQ(Trainer(options, RunDirectory::open(options.run.directory)).run(), StopReason::limit);
}

// As a piece of its own, U+2581 is known to every subword model.
TEST_F(GivenTextTest, ASubwordModelOfAnotherScriptIsRefused) {
  options.text.shared_vocabulary = true;
  options.text.source_vocabulary = options.text.target_vocabulary = "";
  int line = 0;
  const std::string model = train_sentencepiece(
      [&](std::string& text) {
        text = "abc bcd cde def abd";
        return line++ < 20;
      },
      0, {}, {}, 1);
  options.text.tokenizer = SentencePieceTokenizerOptions{.model = folder.write("model", model)};
  std::string other, same;
  for (int i = 0; i < 20; ++i) {
    other += "猫在这里睡觉\n";
    same += "abc def\n";
  }
  options.data.train_source = folder.write("other", other);
  options.data.train_target = folder.write("same", same);
  options.data.valid = folder.write("valid.tsv", "abc\tabc\n");
  EXPECT_THAT(told(), StartsWith(folder.path("model") + ": 100.0% of the source's tokens"));
}

TEST_F(GivenTextTest, ReadsWhatTheOptionsName) {
  const TextCodecs apart = read_text(options.text);
  EXPECT_EQ(apart.source->vocabulary().token(4), "a");
  EXPECT_EQ(apart.target->vocabulary().token(4), "q");
  options.text.shared_vocabulary = true;
  options.text.target_vocabulary = "";
  const TextCodecs shared = read_text(options.text);
  EXPECT_EQ(shared.source, shared.target);
  const auto given = given_text(options.text, "");
  ASSERT_TRUE(given);
  EXPECT_EQ(given->target, folder.path("source.txt"));
  options.text.source_vocabulary = "";
  EXPECT_FALSE(given_text(options.text, ""));
  EXPECT_TRUE(given_text(options.text, "run")->model);
}

}  // namespace
}  // namespace seq2seq::test
