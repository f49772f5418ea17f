#pragma once

#include <filesystem>
#include <string>

namespace seq2seq {

/// An exclusive advisory lock on a folder, held until destruction or the end of the process.
class FolderLock {
 public:
  /// Throws Error(`folder`, "is in use by another `user`", `remedy`) if it is locked. A folder that cannot be
  /// opened is not locked: the code that uses it reports why.
  FolderLock(const std::filesystem::path& folder, const std::string& user, const std::string& remedy);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int file_;
};

}  // namespace seq2seq
