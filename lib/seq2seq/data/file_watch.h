#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "seq2seq/data/fingerprint.h"
#include "seq2seq/data/open_file.h"

namespace seq2seq {

/// Notices when a file no longer has the content that it had. The system is asked for its stamp, which costs
/// next to nothing; the file itself is read only when that is another. Thread-safe.
class FileWatch {
 public:
  /// Of the file that bears the name at the time, whichever it is. It had `stamp` when `content` was read.
  FileWatch(const std::string& path, const FileStamp& stamp, FileFingerprint content);
  /// Of an open file, which outlives this.
  FileWatch(const OpenFile& file, const FileStamp& stamp, FileFingerprint content);

  const FileFingerprint& content() const { return content_; }
  /// Whether the file has not been touched. Where this holds after reading, `content` is what was read.
  bool is_untouched() const;
  /// Throws ChangedText if the content is another. A file that is just being written is waited for. Where no
  /// file bears the name any longer, that is told once.
  void require_same() const;

 private:
  std::optional<FileStamp> stamp() const;
  bool has_content() const;
  void remember(const FileStamp& stamp) const;
  [[noreturn]] void refuse(const FileStamp& stamp) const;
  void tell_missing() const;

  const std::string path_;
  const OpenFile* const file_;
  const FileFingerprint content_;
  mutable std::mutex mutex_;  // of all below
  mutable FileStamp stamp_;
  mutable std::optional<FileStamp> other_;  // with which it had another content
  mutable bool told_missing_ = false;
};

}  // namespace seq2seq
