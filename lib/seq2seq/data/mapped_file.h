#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace seq2seq {

/// A memory-mapped text file as an array of lines; the offset of each line takes 8 bytes. Line ends as in
/// LineReader. The file must not shrink while it is mapped.
class MappedLines {
 public:
  /// Throws Error when the file cannot be mapped, is empty, or has a line that is not UTF-8 or is longer than
  /// `maximum_line_bytes`. A .gz file is first decompressed by `unpacked_copy`.
  explicit MappedLines(const std::string& path);
  ~MappedLines();
  MappedLines(const MappedLines&) = delete;
  MappedLines& operator=(const MappedLines&) = delete;

  uint64_t size() const { return begins_.size() - 1; }
  std::string_view operator[](uint64_t index) const;  ///< thread-safe; valid while this object lives
  const std::string& path() const { return path_; }
  std::string place(uint64_t index) const { return path_ + ":" + std::to_string(index + 1); }

 private:
  void map(const std::string& file);
  void index_lines();
  void check_lines() const;

  std::string path_;
  const char* bytes_ = nullptr;
  size_t length_ = 0;
  std::vector<uint64_t> begins_;  // offset of each line, and one past the last as if it had a line end
};

/// The path of a decompressed copy of a .gz file, created unless there is one for the file's current size and
/// modification time. Copies are kept in $XDG_CACHE_HOME/seq2seq, else ~/.cache/seq2seq, else the temporary
/// folder; a new copy replaces older ones of the same file.
std::string unpacked_copy(const std::string& path);

}  // namespace seq2seq
