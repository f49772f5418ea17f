#include "seq2seq/core/mapped_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <span>
#include <string>

#include "../support/resident_file.h"
#include "seq2seq/core/file.h"

namespace seq2seq {
namespace {

namespace fs = std::filesystem;

class MappedFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "mapped_file_test.XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    for (size_t i = 0; i < text_.size(); ++i) text_[i] = static_cast<char>(i * i % 251);
    write_file(path(), text_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path path(const std::string& name = "file") const { return folder_ / name; }
  static std::shared_ptr<const MappedFile> mapped(const fs::path& path) {
    return MappedFile::open(path, FileIdentity::of(path));
  }
  static std::string content(const MappedFile& file) {
    return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
  }
  size_t resident() const { return test::resident_bytes(path()); }

  fs::path folder_;
  std::string text_ = std::string(1'000'000, '\0');
};

TEST_F(MappedFileTest, HoldsTheBytesOfTheFile) {
  const auto file = mapped(path());
  ASSERT_NE(file, nullptr);
  EXPECT_TRUE(content(*file) == text_);
}

TEST_F(MappedFileTest, KeepsItsFileWhenAnotherTakesItsPlace) {
  const auto file = mapped(path());
  write_file(path(), "short");
  EXPECT_TRUE(content(*file) == text_);
  EXPECT_EQ(content(*mapped(path())), "short");
}

TEST_F(MappedFileTest, IsNothingForOtherFiles) {
  EXPECT_EQ(mapped(path("missing")), nullptr);
  EXPECT_EQ(mapped(folder_), nullptr);
  EXPECT_EQ(mapped("/dev/null"), nullptr);
  write_file(path("empty"), "");
  EXPECT_EQ(mapped(path("empty")), nullptr);
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(mapped(path("pipe")), nullptr);
  const FileIdentity before = FileIdentity::of(path());
  write_file(path(), text_);  // the same bytes, another file
  EXPECT_EQ(MappedFile::open(path(), before), nullptr);
}

TEST_F(MappedFileTest, ReleasedPagesAreReadAgain) {
  const auto file = mapped(path());
  EXPECT_TRUE(content(*file) == text_);
  const size_t whole = resident();
  if (whole == 0) GTEST_SKIP() << "no /proc/self/smaps";
  EXPECT_GT(whole, 900'000U);
  release_if_mapped(file->bytes().subspan(300'001, 400'000));
  EXPECT_LT(resident(), whole - 390'000);
  EXPECT_GT(resident(), whole - 410'000);
  EXPECT_TRUE(content(*file) == text_);
  release_if_mapped(file->bytes().subspan(5, 100));  // no whole page
  EXPECT_EQ(resident(), whole);
  release_if_mapped(file->bytes());
  EXPECT_LE(resident(), static_cast<size_t>(::sysconf(_SC_PAGESIZE)));  // the last one is not whole
  EXPECT_TRUE(content(*file) == text_);
}

TEST_F(MappedFileTest, OtherMemoryIsNeverReleased) {
  auto file = mapped(path());
  std::string copy = content(*file);
  release_if_mapped(std::as_bytes(std::span(copy)));
  EXPECT_TRUE(copy == text_);
  file.reset();
  release_if_mapped(std::as_bytes(std::span(copy)));
  EXPECT_TRUE(copy == text_);
}

}  // namespace
}  // namespace seq2seq
