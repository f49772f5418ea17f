#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace seq2seq {

/// What the system tells of a file without reading it: another content has another stamp, but not always the
/// other way round.
struct FileStamp {
  uint64_t device = 0, inode = 0, bytes = 0;
  int64_t seconds = 0, nanoseconds = 0;  ///< of its last modification
  /// Whether that was so long ago that another modification has another time: file systems take it from a
  /// clock that ticks some hundred times a second.
  bool settled = true;
  friend bool operator==(const FileStamp& a, const FileStamp& b) {
    return a.device == b.device && a.inode == b.inode && a.bytes == b.bytes && a.seconds == b.seconds &&
           a.nanoseconds == b.nanoseconds;
  }
};
/// Nothing where there is no such file.
std::optional<FileStamp> stamp_of(const std::string& path);

/// A file that several threads may read at once, each at its own place. It stays readable under another name
/// and without one.
class OpenFile {
 public:
  /// Throws Error when it cannot be opened. Messages call it `name`.
  OpenFile(const std::string& path, std::string name);
  ~OpenFile();
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  const std::string& name() const { return name_; }
  bool is_regular() const;
  FileStamp stamp() const;
  /// Fills `bytes` from `offset` on, as far as the file reaches; returns how many were read. Throws Error.
  size_t read(std::span<char> bytes, uint64_t offset) const;
  /// Says in which way it will be read from now on.
  void expect_sequential_reads() const;
  void expect_random_reads() const;

 private:
  std::string name_;
  int descriptor_;
};

}  // namespace seq2seq
