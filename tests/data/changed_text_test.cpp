// Files that change while a corpus is read: an example is either what it was, or an error.

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "seq2seq/core/log.h"
#include "seq2seq/data/corpus.h"
#include "seq2seq/data/indexed_lines.h"
#include "seq2seq/data/unpacked_copy.h"
#include "temporary_folder.h"

namespace seq2seq {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

/// Every line is different; some are empty, some longer than what is read at once.
std::vector<std::string> many_lines() {
  std::vector<std::string> lines;
  for (int i = 0; i < 3000; ++i)
    lines.push_back(i % 7 == 0 ? "" : std::to_string(i) + std::string(i % 1000 == 5 ? 150000 : i % 90, 'x'));
  return lines;
}

std::string text_of(const std::vector<std::string>& lines, const char* end) {
  std::string text;
  for (const std::string& line : lines) text += line + end;
  return text;
}

TEST(IndexedLines, AreReadInAnyOrder) {
  const TemporaryFolder folder;
  const auto lines = many_lines();
  const std::string unix_text = text_of(lines, "\n"), dos_text = "\xEF\xBB\xBF" + text_of(lines, "\r\n");
  for (const std::string& text : {unix_text, dos_text, unix_text + "last"}) {
    const IndexedLines read(folder.write("text", text));
    const IndexedLines other(folder.write("other", text));
    ASSERT_EQ(read.size(), lines.size() + (text.ends_with("last") ? 1 : 0));
    for (size_t i = 0; i < lines.size(); ++i) {
      ASSERT_EQ(read[i], lines[i]) << i;
      ASSERT_EQ(other[i], lines[i]) << i;
    }
    for (size_t i = lines.size(); i-- > 0;) ASSERT_EQ(read[i], lines[i]) << i;
    for (size_t i = 0; i < lines.size(); ++i)
      ASSERT_EQ(read[i * 1009 % lines.size()], lines[i * 1009 % lines.size()]) << i;
    if (text.ends_with("last")) {
      EXPECT_EQ(read[lines.size()], "last");
    }
  }
}

TEST(IndexedLines, AreReadBySeveralThreads) {
  const TemporaryFolder folder;
  const auto lines = many_lines();
  const IndexedLines read(folder.write("text", text_of(lines, "\n")));
  std::vector<std::jthread> threads;
  std::atomic<int> wrong = 0;
  for (size_t thread = 0; thread < 4; ++thread)
    threads.emplace_back([&, thread] {
      for (size_t i = 0; i < lines.size(); ++i) {
        const size_t index = thread == 0 ? i : i * (1009 + 2 * thread) % lines.size();
        if (read[index] != lines[index]) ++wrong;
      }
    });
  threads.clear();
  EXPECT_EQ(wrong, 0);
}

/// A corpus of two files, of which one changes.
class ChangedTextTest : public testing::Test {
 protected:
  ChangedTextTest() { set_log_level(LogLevel::quiet); }
  ~ChangedTextTest() override { set_log_level(LogLevel::normal); }

  static std::string numbered(const std::string& word) {
    std::string text;
    for (int i = 100; i < 400; ++i) text += word + std::to_string(i) + "\n";
    return text;
  }
  Corpus corpus() const { return Corpus({source, target, ""}); }
  /// As a user would: a new file in its place.
  void replace(const std::string& path, const std::string& text) const {
    fs::rename(folder.write("new", text), path);
  }

  TemporaryFolder folder;
  const std::string text = numbered("a");
  const std::string source = folder.write("t.en", text);
  const std::string target = folder.write("t.de", numbered("b"));
};

TEST_F(ChangedTextTest, ATextThatIsCutIsTold) {
  const Corpus read = corpus();
  fs::resize_file(target, 400);
  EXPECT_THAT(error_of([&] { read.at(250); }),
              StartsWith(target + ": is no longer the text that was read (1,500 bytes then, 400 now)"));
  EXPECT_THROW(read.at(251), ChangedText);
  EXPECT_THROW(read.require_same(), ChangedText);
}

TEST_F(ChangedTextTest, AnotherTextInItsPlaceIsTold) {
  const Corpus read = corpus();
  folder.write("t.de", numbered("c"));  // of the same size
  EXPECT_THAT(error_of([&] { read.at(1); }), HasSubstr("t.de: is no longer the text that was read (other "
                                                       "content in 1,500 bytes)"));
  EXPECT_THROW(read.require_same(), ChangedText);
}

TEST_F(ChangedTextTest, ATextThatGrowsIsTold) {
  const Corpus read = corpus();
  std::ofstream(source, std::ios::app) << "a400\n";
  EXPECT_THAT(error_of([&] { read.require_same(); }), HasSubstr("1,500 bytes then, 1,505 now"));
}

TEST_F(ChangedTextTest, ANewFileWithOtherContentIsToldButNotRead) {
  const Corpus read = corpus();
  replace(target, numbered("c"));
  EXPECT_EQ(read.at(42).target, "b142");
  EXPECT_THAT(error_of([&] { read.require_same(); }), StartsWith(target + ": is no longer the text"));
}

TEST_F(ChangedTextTest, TheSameContentGoesOn) {
  set_log_level(LogLevel::normal);
  const Corpus read = corpus();
  const std::string going_on = ": was written or replaced, but its content is the same: going on\n";
  const auto expect_same = [&](const char* what, const std::string& told) {
    testing::internal::CaptureStderr();
    EXPECT_NO_THROW(read.require_same()) << what;
    EXPECT_NO_THROW(read.require_same()) << what;
    EXPECT_EQ(read.at(42).source, "a142") << what;
    EXPECT_EQ(testing::internal::GetCapturedStderr(), told) << what;
  };
  expect_same("untouched", "");
  fs::last_write_time(source, fs::last_write_time(source) - std::chrono::hours(1));
  expect_same("touched", source + going_on);
  folder.write("t.en", text);
  expect_same("written again", source + going_on);
  replace(source, text);
  expect_same("replaced", source + going_on);
  replace(source, numbered("c"));
  EXPECT_THROW(read.require_same(), ChangedText);
  replace(source, text);
  expect_same("put back", source + going_on);
}

TEST_F(ChangedTextTest, ATextThatIsJustBeingWrittenIsWaitedFor) {
  const Corpus read = corpus();
  std::ofstream out(source, std::ios::binary | std::ios::trunc);
  out << text.substr(0, 700) << std::flush;
  std::jthread writer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
    out << text.substr(700) << std::flush;
  });
  EXPECT_EQ(read.at(250).source, "a350");
}

TEST_F(ChangedTextTest, ATextWithoutNameIsReadOn) {
  const Corpus read = corpus();
  fs::remove(target);
  testing::internal::CaptureStderr();
  EXPECT_NO_THROW(read.require_same());
  EXPECT_NO_THROW(read.require_same());
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::EndsWith(target + ": was removed or renamed; what was opened is still read\n"));
  EXPECT_EQ(read.at(299).target, "b399");
  folder.write("t.de", numbered("c"));
  EXPECT_THROW(read.require_same(), ChangedText);
}

TEST_F(ChangedTextTest, PackedTextIsWatchedAndSoIsItsCopy) {
  const std::string packed = folder.write_gz("t.gz", text);
  const Corpus read({packed, target, ""});
  const std::string copy = unpacked_copy(packed).path;
  fs::last_write_time(packed, fs::last_write_time(packed) - std::chrono::hours(1));
  EXPECT_NO_THROW(read.require_same());
  folder.write_gz("t.gz", numbered("c"));
  EXPECT_EQ(read.at(299).source, "a399");
  EXPECT_THAT(error_of([&] { read.require_same(); }), StartsWith(packed + ": is no longer the text"));
  folder.write_gz("t.gz", text);
  EXPECT_NO_THROW(read.require_same());
  fs::resize_file(copy, 30);
  EXPECT_THAT(error_of([&] { read.at(200); }), StartsWith(copy + ": is no longer the text"));
}

// A malformed line is one of another text: the corpus has been checked.
TEST_F(ChangedTextTest, JsonLinesThatChangeAreTold) {
  const std::string lines =
      "{\"source\": \"a\", \"target\": \"b\"}\n{\"source\": \"c\", \"target\": \"d\"}\n";
  const Corpus read({"", "", folder.write("t.jsonl", lines)});
  folder.write("t.jsonl", std::string(lines.size(), '{'));
  std::string error;
  std::jthread([&] { error = error_of([&] { read.at(1); }); }).join();  // this thread has read it already
  EXPECT_THAT(error, HasSubstr("t.jsonl: is no longer the text"));
}

}  // namespace
}  // namespace seq2seq
