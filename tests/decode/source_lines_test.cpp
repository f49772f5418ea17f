#include "seq2seq/decode/source_lines.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "../data/temporary_folder.h"
#include "seq2seq/core/error.h"
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

// Whatever is wrong with a line of JSON is a problem of that line alone.
TEST(SourceLines, BadLinesOfJsonAreProblemsOfTheirOwn) {
  const TemporaryFolder folder;
  const std::string bad[] = {R"({"source": "a", "score": 1e999})",
                             R"({"source": "a", "source": "b"})",
                             R"({"source": "\ud800"})",
                             "{\"source\": \"a\"",
                             std::string(600, '[') + std::string(600, ']'),
                             "null",
                             R"({"id": 1})",
                             ""};
  std::string text = "{\"source\": \"one\"}\n";
  for (const std::string& line : bad) text += line + "\n";
  SourceLines lines(folder.write("a.jsonl", text + "{\"source\": \"two\"}\n"));
  const auto window = lines.read_window(99);
  ASSERT_EQ(window.size(), std::size(bad) + 2);
  EXPECT_EQ(window.front().text, "one");
  EXPECT_EQ(window.back().text, "two");
  for (size_t i = 1; i + 1 < window.size(); ++i)
    EXPECT_THAT(window[i].problem, HasSubstr("a.jsonl:" + std::to_string(i + 1) + ": ")) << bad[i - 1];
}

TEST(SourceLines, ReadsTheKeyGiven) {
  const TemporaryFolder folder;
  const std::string file = folder.write("a.jsonl", "{\"x\": {\"en\": \"one\"}, \"source\": \"no\"}\n");
  SourceLines given(file, {}, {"x.en", ""});
  EXPECT_EQ(texts_of(given.read_window(9)), std::vector<std::string>{"one"});
  SourceLines missing(file, {}, {"x.de", ""});
  EXPECT_THAT(missing.read_window(9)[0].problem, HasSubstr("a.jsonl:1: no 'x.de'"));
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

// A window ends where reading would block; the other end of the pipe is still open.
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

TEST(SourceLines, CompanionsGoWithTheLines) {
  const TemporaryFolder folder;
  const std::string input = folder.write("in", "a\nb\nc\n");
  SourceLines lines(input,
                    {folder.write("prefixes", "x y\n\nz\n"), folder.write("required", "\np\tq r\n \t\n")});
  const auto window = lines.read_window(9);
  ASSERT_EQ(window.size(), 3U);
  EXPECT_EQ(window[0].prefix, "x y");
  EXPECT_EQ(window[2].prefix, "z");
  EXPECT_TRUE(window[0].required.empty());
  EXPECT_EQ(window[1].required, (std::vector<std::string>{"p", "q r"}));
  EXPECT_TRUE(window[2].required.empty());

  EXPECT_THAT(window[2].prefix_place, HasSubstr("prefixes:3"));
  EXPECT_THAT(window[1].required_place, HasSubstr("required:2"));

  SourceLines bad(input, {folder.write("bad", "x\n" + std::string(maximum_line_bytes + 1, 'x') + "\nz\n"),
                          folder.write("worse", "p\nq\nr\xFFs\n")});
  const auto lost = bad.read_window(9);
  EXPECT_EQ(texts_of(lost), (std::vector<std::string>{"a", "BAD", "BAD"}));
  EXPECT_THAT(lost[1].problem, HasSubstr("bad:2: the line is longer than 1 MiB"));
  EXPECT_THAT(lost[2].problem, HasSubstr("worse:3: byte 2 is not valid UTF-8"));

  SourceLines few(input, {folder.write("few", "x\n"), {}});
  EXPECT_THAT([&] { few.read_window(9); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("the last line, but the input goes on at")));
  SourceLines none(input, {{}, folder.write("none", "")});
  EXPECT_THAT([&] { none.read_window(9); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("none: is empty, but the input goes on at")));
}

TEST(SourceLines, WhiteSpaceAloneAsksForNothing) {
  const TemporaryFolder folder;
  SourceLines lines(folder.write("in", "a\nb\n"), {folder.write("prefixes", "\u00A0\n \u200B\n"),
                                                   folder.write("required", "\u3000\t\u00A0\nx\t\u200B\n")});
  const auto window = lines.read_window(9);
  ASSERT_EQ(window.size(), 2U);
  EXPECT_EQ(window[0].prefix, "");
  EXPECT_EQ(window[1].prefix, "");
  EXPECT_TRUE(window[0].required.empty());
  EXPECT_EQ(window[1].required, std::vector<std::string>{"x"});
}

// Lines that arrive within the wait are read together; the end of the input ends the wait.
TEST(SourceLines, WaitsForMoreLinesAsLongAsIsAllowed) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const int saved = ::dup(STDIN_FILENO);
  ::dup2(ends[0], STDIN_FILENO);
  {
    SourceLines lines("-");
    std::thread writer([&] {
      for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(::write(ends[1], "a\n", 2), 2);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    });
    EXPECT_EQ(lines.read_window(3, 60'000).size(), 3U);
    writer.join();
    EXPECT_EQ(::write(ends[1], "b\n", 2), 2);
    EXPECT_EQ(lines.read_window(9, 1).size(), 1U);
    ::close(ends[1]);
    EXPECT_TRUE(lines.read_window(9, 60'000).empty());
  }
  ::dup2(saved, STDIN_FILENO);
  ::close(saved);
  ::close(ends[0]);
}

}  // namespace
}  // namespace seq2seq
