#include "seq2seq/core/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "seq2seq/core/error.h"

namespace seq2seq {

FolderLock::FolderLock(const std::filesystem::path& folder, const std::string& user,
                       const std::string& remedy)
    : file_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (file_ >= 0 && ::flock(file_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(file_);
    throw Error(folder.string(), "is in use by another " + user, remedy);
  }
}

FolderLock::~FolderLock() {
  if (file_ >= 0) ::close(file_);
}

}  // namespace seq2seq
