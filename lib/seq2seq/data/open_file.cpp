#include "seq2seq/data/open_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"

namespace seq2seq {
namespace {

bool is_settled(const timespec& modified) {
  using std::chrono::nanoseconds, std::chrono::seconds;
  const nanoseconds then = seconds(modified.tv_sec) + nanoseconds(modified.tv_nsec);
  const nanoseconds now = std::chrono::system_clock::now().time_since_epoch();
  return then > now || now - then > std::chrono::milliseconds(20);
}

FileStamp stamp_from(const struct stat& status) {
  return {.device = static_cast<uint64_t>(status.st_dev),
          .inode = static_cast<uint64_t>(status.st_ino),
          .bytes = static_cast<uint64_t>(status.st_size),
          .seconds = static_cast<int64_t>(status.st_mtim.tv_sec),
          .nanoseconds = static_cast<int64_t>(status.st_mtim.tv_nsec),
          .settled = is_settled(status.st_mtim)};
}

struct stat status_of(int descriptor, const std::string& name) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0)
    throw Error(name, "cannot be read (" + system_reason() + ")", "check the disk");
  return status;
}

}  // namespace

std::optional<FileStamp> stamp_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return stamp_from(status);
}

OpenFile::OpenFile(const std::string& path, std::string name)
    : name_(std::move(name)), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) throw Error(name_, "cannot be opened (" + system_reason() + ")", "check the path");
}

OpenFile::~OpenFile() {
  ::close(descriptor_);
}

bool OpenFile::is_regular() const {
  return S_ISREG(status_of(descriptor_, name_).st_mode);
}

FileStamp OpenFile::stamp() const {
  return stamp_from(status_of(descriptor_, name_));
}

size_t OpenFile::read(std::span<char> bytes, uint64_t offset) const {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count =
        ::pread(descriptor_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (count == 0) break;
    if (count > 0)
      done += static_cast<size_t>(count);
    else if (errno != EINTR)
      throw Error(name_, "cannot be read (" + system_reason() + ")", "check the disk");
  }
  return done;
}

void OpenFile::expect_sequential_reads() const {
  ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_SEQUENTIAL);
}

void OpenFile::expect_random_reads() const {
  ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_RANDOM);
}

}  // namespace seq2seq
