#include "seq2seq/decode/source_lines.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "../data/temporary_folder.h"
#include "seq2seq/data/corpus.h"

namespace seq2seq {
namespace {

using testing::HasSubstr;

std::vector<std::string> texts_of(const std::vector<SourceLine>& lines) {
  std::vector<std::string> texts;
  for (const SourceLine& line : lines) texts.push_back(line.problem.empty() ? line.text : "BAD");
  return texts;
}

TEST(SourceLines, ReadsTextInWindows) {
  const TemporaryFolder folder;
  SourceLines lines(folder.write("a.txt", "one\ntwo\n\nfour"));
  EXPECT_EQ(texts_of(lines.read_window(3)), (std::vector<std::string>{"one", "two", ""}));
  const auto rest = lines.read_window(3);
  EXPECT_EQ(texts_of(rest), std::vector<std::string>{"four"});
  EXPECT_THAT(rest[0].place, HasSubstr("a.txt:4"));
  EXPECT_TRUE(lines.read_window(3).empty());
}

TEST(SourceLines, ReadsThePackedText) {
  const TemporaryFolder folder;
  SourceLines lines(folder.write_gz("a.txt.gz", "one\ntwo\n"));
  EXPECT_EQ(texts_of(lines.read_window(9)), (std::vector<std::string>{"one", "two"}));
}

TEST(SourceLines, TakesTheSourcesOfExamples) {
  const TemporaryFolder folder;
  SourceLines tsv(folder.write("a.tsv", "one\teins\ntwo\n"));
  EXPECT_EQ(texts_of(tsv.read_window(9)), (std::vector<std::string>{"one", "two"}));
  SourceLines json(
      folder.write("a.jsonl", "{\"source\": \"one\"}\n{\"source\": 2}\n{\"source\": [\"a.\", \"b.\"]}\n"));
  EXPECT_EQ(texts_of(json.read_window(9)), (std::vector<std::string>{"one", "BAD", "a. b."}));
}

TEST(SourceLines, BadLinesAreProblemsOfTheirOwn) {
  const TemporaryFolder folder;
  SourceLines lines(
      folder.write("a.txt", "one\nt\xFFo\n" + std::string(maximum_line_bytes + 1, 'x') + "\nfour\n"));
  const auto window = lines.read_window(9);
  EXPECT_EQ(texts_of(window), (std::vector<std::string>{"one", "BAD", "BAD", "four"}));
  EXPECT_THAT(window[1].problem, HasSubstr("a.txt:2: byte 2 is not valid UTF-8"));
  EXPECT_THAT(window[2].problem, HasSubstr("a.txt:3: the line is longer than 1 MiB"));
}

// A window ends where a read would have to wait for the other end of the pipe, which is still open.
TEST(SourceLines, AnswersAPipeLineByLine) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  SourceLines lines("/proc/self/fd/" + std::to_string(ends[0]));
  ASSERT_EQ(::write(ends[1], "one\ntwo\n", 8), 8);
  EXPECT_EQ(texts_of(lines.read_window(100)), (std::vector<std::string>{"one", "two"}));
  ASSERT_EQ(::write(ends[1], "three\n", 6), 6);
  EXPECT_EQ(texts_of(lines.read_window(100)), (std::vector<std::string>{"three"}));
  ::close(ends[1]);
  EXPECT_TRUE(lines.read_window(100).empty());
  ::close(ends[0]);
}

}  // namespace
}  // namespace seq2seq
