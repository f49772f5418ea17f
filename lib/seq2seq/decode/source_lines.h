#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "seq2seq/data/example_line.h"
#include "seq2seq/data/line_reader.h"

namespace seq2seq {

/// One line to translate, or what is wrong with it.
struct SourceLine {
  std::string text;
  std::vector<std::string> sentences;  ///< of a .jsonl that gives them
  std::string place;                   ///< "test.en:17"
  std::string problem;                 ///< one line for the user; empty when the text is good
};

/// The sources of a text file or stream ("-"), of a .tsv or of a .jsonl; each may be .gz. A line that cannot
/// be read (not UTF-8, over 1 MiB, malformed) becomes a problem of its own and stops nothing.
class SourceLines {
 public:
  /// Throws Error when the file cannot be opened.
  explicit SourceLines(const std::string& path);
  /// The next lines: waits for one, then takes up to `limit` as long as more are there at once, so that a
  /// person at a terminal or a program at the other end of a pipe gets an answer. Empty at the end of the
  /// input.
  std::vector<SourceLine> read_window(size_t limit);

 private:
  SourceLine checked(std::string line) const;

  LineReader reader_;
  std::optional<ExampleFormat> format_;
};

}  // namespace seq2seq
