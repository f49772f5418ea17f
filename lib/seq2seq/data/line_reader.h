#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace seq2seq {

/// Reads a text file or stream line by line, in constant memory. The path "-" is standard input; a .gz file
/// is decompressed on the fly. A line is returned as soon as it is complete, so that a pipe can be answered
/// line by line. CRLF line ends, a missing end of the last line and a byte order mark at the beginning are
/// accepted. The caller checks whether a line is UTF-8.
class LineReader {
 public:
  /// Throws Error when the file cannot be opened.
  explicit LineReader(const std::string& path);
  ~LineReader();

  /// Reads the next line, without its end, into `line`. False at the end of the input. Throws Error when the
  /// input cannot be read or its compressed data is damaged.
  bool next(std::string& line);
  /// The next `size` bytes, fewer only at the end of the input: for a file that is not all lines. Valid until
  /// the next call.
  std::string_view peek(size_t size);
  /// Leaves out `size` bytes that `peek` has shown.
  void skip(size_t size);
  /// Whether `next` returns without waiting for the writer of a pipe or terminal: with a complete line, or at
  /// the end of the input. Waits at most `milliseconds` for that.
  bool ready(int64_t milliseconds = 0) const;
  /// Whether the line that `next` read last was longer than `maximum_line_bytes`; its bytes are skipped, and
  /// it is empty.
  bool too_long() const;
  /// Of that line, counted from 1: "train.en:17", "standard input:3".
  std::string place() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace seq2seq
