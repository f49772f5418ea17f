#include "seq2seq/core/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "seq2seq/core/error.h"

namespace seq2seq {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;
using testing::ThrowsMessage;

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "file_test.XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }
  size_t entries() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
};

TEST_F(FileTest, AnyBytesRoundTrip) {
  const std::string bytes("a\r\n\0\xff z", 7);
  write_file(folder_ / "f", bytes);
  EXPECT_EQ(read_file(folder_ / "f"), bytes);
  write_file(folder_ / "f", "");
  EXPECT_EQ(read_file(folder_ / "f"), "");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(FileTest, WriterThatThrowsLeavesTheOldFileAndNothingElse) {
  write_file(folder_ / "f", "old");
  const auto write = [](const std::string& temporary) {
    std::ofstream(temporary) << "half";
    throw std::runtime_error("disk on fire");
  };
  EXPECT_THROW(write_file(folder_ / "f", write), std::runtime_error);
  EXPECT_EQ(read_file(folder_ / "f"), "old");
  EXPECT_THROW(write_file(folder_ / "g", write), std::runtime_error);
  EXPECT_EQ(entries(), 1U);
}

TEST_F(FileTest, NothingIsVisibleBeforeTheWriterIsDone) {
  write_file(folder_ / "f", [&](const std::string& temporary) {
    std::ofstream(temporary) << "new";
    EXPECT_FALSE(fs::exists(folder_ / "f"));
    EXPECT_EQ(fs::path(temporary).parent_path(), folder_);
  });
  EXPECT_EQ(read_file(folder_ / "f"), "new");
}

TEST_F(FileTest, DirectoryAppearsWholeOrNotAtAll) {
  EXPECT_THROW(write_directory(folder_ / "d",
                               [](const fs::path& temporary) {
                                 std::ofstream(temporary / "a") << "1";
                                 throw std::runtime_error("no");
                               }),
               std::runtime_error);
  EXPECT_EQ(entries(), 0U);
  write_directory(folder_ / "d", [](const fs::path& temporary) {
    std::ofstream(temporary / "a") << "1";
    std::ofstream(temporary / "b") << "2";
  });
  EXPECT_EQ(read_file(folder_ / "d" / "a") + read_file(folder_ / "d" / "b"), "12");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(FileTest, SymlinkIsRelativeAndReplaced) {
  for (const char* name : {"one", "two"}) {
    fs::create_directory(folder_ / name);
    write_file(folder_ / name / "f", name);
    replace_symlink(folder_ / "last", name);
    EXPECT_EQ(fs::read_symlink(folder_ / "last"), name);
    EXPECT_EQ(read_file(folder_ / "last" / "f"), name);
  }
  EXPECT_EQ(entries(), 3U);
}

TEST_F(FileTest, ErrorsNameThePathAndTheReason) {
  const std::string missing = (folder_ / "none").string();
  EXPECT_THAT([&] { read_file(missing); },
              ThrowsMessage<Error>(StartsWith(missing + ": cannot be opened (No such file or directory)")));
  EXPECT_THAT([&] { read_file(folder_); }, ThrowsMessage<Error>(HasSubstr("is a directory")));
  EXPECT_THAT([&] { write_file(folder_ / "none" / "f", "x"); },
              ThrowsMessage<Error>(HasSubstr("No such file or directory")));
}

// Nothing is known of what stands there, not even whether it is a folder or a link.
TEST_F(FileTest, APathThatCannotBeLookedUpIsAnError) {
  const auto refused = [](const std::function<void()>& use, const fs::path& path, const char* reason) {
    EXPECT_THAT(use, ThrowsMessage<Error>(
                         testing::AllOf(StartsWith(path.string() + ": cannot be "), HasSubstr(reason))));
  };
  const fs::path endless = folder_ / std::string(300, 'x'), below = endless / "f", loop = folder_ / "loop";
  fs::create_symlink("loop", loop);
  for (const fs::path& path : {endless, below}) {
    refused([&] { read_file(path); }, path, "(File name too long)");
    refused([&] { write_file(path, "x"); }, path, "(File name too long)");
    refused([&] { write_directory(path, [](const fs::path&) {}); }, path, "(File name too long)");
    refused([&] { replace_symlink(path, "f"); }, path, "(File name too long)");
  }
  refused([&] { read_file(loop); }, loop, "(Too many levels of symbolic links)");
  refused([&] { write_file(loop, "x"); }, loop, "(Too many levels of symbolic links)");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(FileTest, WritesThroughLinksAndIntoPipesInsteadOfReplacingThem) {
  write_file(folder_ / "real", "before");
  fs::create_symlink("real", folder_ / "link");
  write_file(folder_ / "link", "after");
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(read_file(folder_ / "real"), "after");
  const fs::path pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int reader = ::open(pipe.c_str(), O_RDWR);
  write_file(pipe, "text");
  EXPECT_TRUE(fs::is_fifo(pipe));
  char bytes[8] = {};
  EXPECT_EQ(::read(reader, bytes, sizeof bytes), 4);
  EXPECT_EQ(std::string(bytes), "text");
  ::close(reader);
}

}  // namespace
}  // namespace seq2seq
