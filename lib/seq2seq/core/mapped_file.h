#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace seq2seq {

/// Which file a path refers to, and in which state. A path may come to refer to another file at any time.
struct FileIdentity {
  uint64_t device = 0, number = 0, bytes = 0;
  int64_t seconds = 0, nanoseconds = 0;  ///< of the last change
  bool operator==(const FileIdentity&) const = default;

  /// All zero where there is no file.
  static FileIdentity of(const std::filesystem::path& path);
};

/// A file as memory that cannot be written to, shared with all processes that use it: pages are read when they are first
/// used. Another file may take its place (a rename), but it must not become shorter: the system would end the process.
class MappedFile {
 public:
  /// Null where that could happen behind the owner's back or cannot work: the path is not a regular file, it is empty, it
  /// lies on a file system of a network or of another program, or it is not `identity`.
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path,
                                                const FileIdentity& identity);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  explicit MappedFile(std::span<const std::byte> bytes);
  std::span<const std::byte> bytes_;
};

/// Gives back the memory of the whole pages within `bytes`, if they lie in a mapped file; they are read again when they are
/// next used.
void release_if_mapped(std::span<const std::byte> bytes);

}  // namespace seq2seq
