#pragma once

#include <memory>
#include <string>
#include <vector>

#include "seq2seq/core/clock.h"

struct z_stream_s;  // of zlib NOLINT(readability-identifier-naming)

namespace seq2seq {

struct FileFingerprint;

/// The bytes of a file or stream from its beginning to its end, unpacked if its name ends in .gz. A read
/// returns what is available instead of waiting for a full buffer.
class ByteSource {
 public:
  /// "-" is standard input. `fingerprint`, if given, outlives this: what is read of the file, before it is
  /// unpacked, is added to it. Throws Error when it cannot be opened.
  explicit ByteSource(const std::string& path, FileFingerprint* fingerprint = nullptr);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  /// 0 at the end. Throws Error when it cannot be read, or its packed data is damaged, cut off, or followed by
  /// other bytes than zeros.
  size_t read(char* bytes, size_t size);
  /// Whether there are bytes, or their end, until then.
  bool ready(Clock::time_point end) const;
  /// "train.en", "standard input".
  const std::string& name() const { return name_; }

 private:
  size_t read_raw(char* bytes, size_t size);
  size_t inflate_into(char* bytes, size_t size);
  bool read_packed();
  void begin_next_member();

  std::string name_;
  FileFingerprint* fingerprint_;
  int descriptor_ = -1;
  std::vector<char> packed_;
  std::unique_ptr<z_stream_s> stream_;
  bool member_complete_ = false, padded_ = false;
};

}  // namespace seq2seq
