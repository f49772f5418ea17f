#include "seq2seq/data/line_reader.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <future>
#include <thread>
#include <vector>

#include "seq2seq/core/clock.h"
#include "seq2seq/data/corpus.h"
#include "temporary_folder.h"

namespace seq2seq {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> lines_of(const std::string& path) {
  LineReader reader(path);
  std::vector<std::string> lines;
  for (std::string line; reader.next(line);) lines.push_back(line);
  return lines;
}

TEST(LineReader, AcceptsEveryKindOfLineEnd) {
  const TemporaryFolder folder;
  EXPECT_THAT(lines_of(folder.write("a", "one\ntwo\r\n\nlast")), ElementsAre("one", "two", "", "last"));
  EXPECT_THAT(lines_of(folder.write("b", "one\n")), ElementsAre("one"));
  EXPECT_THAT(lines_of(folder.write("c", "")), ElementsAre());
  EXPECT_THAT(lines_of(folder.write("d", "\xEF\xBB\xBFone\r\n\r\n")), ElementsAre("one", ""));
}

TEST(LineReader, NumbersLines) {
  const TemporaryFolder folder;
  LineReader reader(folder.write("text", "a\nb\n"));
  std::string line;
  reader.next(line);
  reader.next(line);
  EXPECT_EQ(reader.place(), folder.path("text") + ":2");
}

TEST(LineReader, JoinsLinesAcrossBlocks) {
  const TemporaryFolder folder;
  const std::string left(70000, 'x'), right(200000, 'y');
  EXPECT_THAT(lines_of(folder.write("text", left + "\n" + right + "\nz")), ElementsAre(left, right, "z"));
}

TEST(LineReader, SkipsTooLongLinesAndGoesOn) {
  const TemporaryFolder folder;
  const std::string longest(maximum_line_bytes, 'x');
  LineReader reader(folder.write("text", longest + "\r\n" + longest + "x\nnext\n"));
  std::string line;
  ASSERT_TRUE(reader.next(line));
  EXPECT_EQ(line.size(), maximum_line_bytes);
  EXPECT_FALSE(reader.too_long());
  ASSERT_TRUE(reader.next(line));
  EXPECT_TRUE(reader.too_long());
  EXPECT_EQ(line, "");
  ASSERT_TRUE(reader.next(line));
  EXPECT_FALSE(reader.too_long());
  EXPECT_EQ(line, "next");
}

TEST(LineReader, UnpacksGzipAndRefusesDamage) {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "line " + std::to_string(i) + "\n";
  const std::string path = folder.write_gz("text.gz", text);
  const auto lines = lines_of(path);
  ASSERT_EQ(lines.size(), 20000u);
  EXPECT_EQ(lines[12345], "line 12345");

  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  EXPECT_THAT(error_of([&] { lines_of(path); }), HasSubstr("in the middle of its compressed data"));
  folder.write("empty.gz", "");
  EXPECT_THAT(error_of([&] { lines_of(folder.path("empty.gz")); }),
              HasSubstr("empty.gz: is empty, as gzip data never is"));
  folder.write("plain.gz", "no gzip at all");
  EXPECT_THAT(error_of([&] { lines_of(folder.path("plain.gz")); }), HasSubstr("damaged or no gzip data"));
}

TEST(LineReader, HandsOutALineBeforeTheNextOneIsWritten) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo(folder.path("pipe").c_str(), 0600), 0);
  int writer = -1;
  std::thread opener([&] { writer = ::open(folder.path("pipe").c_str(), O_WRONLY); });
  LineReader reader(folder.path("pipe"));
  opener.join();
  // If `next` waited for more than this line, this thread, which also writes, would wait forever.
  for (const std::string text : {"first", "second"}) {
    ASSERT_EQ(::write(writer, (text + "\n").data(), text.size() + 1), static_cast<ssize_t>(text.size() + 1));
    std::string line;
    ASSERT_TRUE(reader.next(line));
    EXPECT_EQ(line, text);
  }
  ::close(writer);
  std::string line;
  EXPECT_FALSE(reader.next(line));
}

TEST(LineReader, NamesAMissingFile) {
  EXPECT_THAT(error_of([] { LineReader("no/such/file"); }), HasSubstr("no/such/file: cannot be opened"));
}

// An incomplete line must not delay the complete ones before it.
TEST(LineReader, IsReadyOnlyForWholeLines) {
  const TemporaryFolder folder;
  const std::string pipe = folder.path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int writer = ::open(pipe.c_str(), O_RDWR);  // does not wait for a reader
  const auto send = [&](const std::string& text) {
    ASSERT_EQ(::write(writer, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  };
  LineReader reader(pipe);
  EXPECT_FALSE(reader.ready());
  send("one\ntw");
  std::string line;
  EXPECT_TRUE(reader.ready());
  EXPECT_TRUE(reader.next(line));
  EXPECT_EQ(line, "one");
  EXPECT_FALSE(reader.ready());
  send("o\nthree\n");
  EXPECT_TRUE(reader.ready());
  EXPECT_TRUE(reader.next(line));
  EXPECT_EQ(line, "two");
  EXPECT_TRUE(reader.ready());
  EXPECT_TRUE(reader.next(line));
  EXPECT_EQ(line, "three");
  EXPECT_FALSE(reader.ready());
  ::close(writer);
  EXPECT_TRUE(reader.ready());  // the end
  EXPECT_FALSE(reader.next(line));
}

// What interrupts the wait has written nothing.
TEST(LineReader, ASignalIsNoLine) {
  const TemporaryFolder folder;
  const std::string pipe = folder.path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int writer = ::open(pipe.c_str(), O_RDWR);  // does not wait for a reader
  LineReader reader(pipe);
  struct sigaction interrupt {};
  struct sigaction before {};
  interrupt.sa_handler = [](int) {};  // without SA_RESTART
  ASSERT_EQ(::sigaction(SIGUSR1, &interrupt, &before), 0);
  std::promise<void> answered;
  std::thread interrupter([&, answer = answered.get_future(), waiting = ::pthread_self()] {
    for (int i = 0; i < 500; ++i) {
      if (answer.wait_for(std::chrono::milliseconds(10)) == std::future_status::ready) return;
      ::pthread_kill(waiting, SIGUSR1);
    }
    EXPECT_EQ(::write(writer, "late\n", 5), 5);  // ends a read that waits for ever
  });
  const auto begin = Clock::now();
  EXPECT_FALSE(reader.ready(100));
  EXPECT_GE(seconds_since(begin), 0.1);
  answered.set_value();
  interrupter.join();
  ::sigaction(SIGUSR1, &before, nullptr);
  ::close(writer);
}

}  // namespace
}  // namespace seq2seq
