#pragma once

#include <filesystem>
#include <string>

namespace seq2seq {

/// For as long as it lives, no other process that asks for it gets the same folder. It ends with the process.
class FolderLock {
 public:
  /// Throws Error("FOLDER", "is in use by another `user`", `remedy`). A folder that cannot be opened is not
  /// locked: whoever works in it says why.
  FolderLock(const std::filesystem::path& folder, const std::string& user, const std::string& remedy);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int file_;
};

}  // namespace seq2seq
