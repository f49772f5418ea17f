#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "seq2seq/data/file_watch.h"
#include "seq2seq/data/open_file.h"

namespace seq2seq {

/// A text file as an array of lines, which are read when they are asked for; the offset of each takes 8 bytes.
/// Line ends as in LineReader. What is read is always what stood there at construction.
class IndexedLines {
 public:
  /// Reads the file once. Throws Error when it cannot be read, is empty, no plain text, or has a line that is
  /// not UTF-8 or is longer than `maximum_line_bytes`. A .gz file is first decompressed by `unpacked_copy`.
  explicit IndexedLines(const std::string& path);
  IndexedLines(const IndexedLines&) = delete;
  IndexedLines& operator=(const IndexedLines&) = delete;

  uint64_t size() const { return begins_.size() - 1; }
  /// Thread-safe. A thread that asks for one line after the other gets them from blocks. Throws ChangedText.
  std::string operator[](uint64_t index) const;
  /// Throws ChangedText if the file, or its decompressed copy, no longer has the content that it had.
  void require_same() const;
  /// Of the file as it stands under `path`.
  const FileFingerprint& fingerprint() const { return named_->content(); }
  /// Of its text: the same, or that of the decompressed copy.
  const FileFingerprint& text_fingerprint() const { return opened_->content(); }
  const std::string& path() const { return path_; }
  std::string place(uint64_t index) const { return path_ + ":" + std::to_string(index + 1); }

 private:
  struct Recent;
  static Recent& recent_of_thread(uint64_t number);

  void open();
  uint64_t count_lines() const;
  FileFingerprint index_lines();
  void add_line(uint64_t offset, std::string_view line);
  [[noreturn]] void refuse_long_line(uint64_t offset, std::string_view beginning) const;
  void read(Recent& recent, uint64_t begin, uint64_t end) const;

  const uint64_t number_;  // tells such objects apart
  const std::string path_;
  std::optional<FileWatch> named_;   // the file that bears the name
  std::optional<OpenFile> file_;     // that is read: it, or its copy
  std::optional<FileWatch> opened_;  // that one
  std::vector<uint64_t> begins_;     // offset of each line, and one past the last as if it had a line end
  uint64_t bytes_ = 0;
  bool first_has_return_ = false;  // a carriage return inside the first line
};

}  // namespace seq2seq
