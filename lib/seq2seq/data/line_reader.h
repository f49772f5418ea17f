#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace seq2seq {

/// Lines of a text file or stream, in constant memory. The path "-" is the standard input, a name that ends
/// in .gz is unpacked on the way. A line is handed out as soon as it is complete, so that a pipe can be
/// answered line by line. CRLF ends, a missing end of the last line and a byte order mark at the beginning
/// are accepted. Whether a line is UTF-8 is for the caller to check.
class LineReader {
 public:
  /// Throws Error when the file cannot be opened.
  explicit LineReader(const std::string& path);
  ~LineReader();

  /// Reads the next line, without its end, into `line`. False at the end of the input. Throws Error when the
  /// input cannot be read or its compressed data is damaged.
  bool next(std::string& line);
  /// Whether `next` can answer without waiting for whoever writes to a pipe or terminal; a line of which only
  /// a part has come counts as there. Waits for that as long at most.
  bool ready(int64_t milliseconds = 0) const;
  /// The number of the line that `next` gave last, from 1.
  uint64_t line_number() const;
  /// Whether that line was longer than `maximum_line_bytes`; it is then empty, its bytes have been skipped.
  bool too_long() const;
  /// "train.en:17", "standard input:3".
  std::string place() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace seq2seq
