#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "seq2seq/data/example_line.h"
#include "seq2seq/data/line_reader.h"

namespace seq2seq {

/// One line to translate, or the problem with it.
struct SourceLine {
  std::string text;
  std::vector<std::string> sentences;      ///< of a .jsonl file that gives them
  std::string place;                       ///< "test.en:17"
  std::string problem;                     ///< error message in one line; empty = the text is valid
  std::string prefix = {};                 ///< text that its output begins with
  std::vector<std::string> required = {};  ///< phrases its output contains
  std::string prefix_place = {}, required_place = {};  ///< where these stand: "prefixes.txt:17"
};

/// The sources of a text file or stream ("-"), .tsv or .jsonl file; each may be .gz. A line that cannot be
/// read (not UTF-8, over 1 MiB, malformed), or whose line of a companion cannot, is returned with its problem,
/// and reading goes on.
class SourceLines {
 public:
  /// Files parallel to the sources, one line for each; empty = none.
  struct Companions {
    std::string prefixes;
    std::string required;  ///< phrases separated by tabs
  };
  /// Throws Error when a file cannot be opened.
  explicit SourceLines(const std::string& path, const Companions& companions = {}, ExampleKeys keys = {});
  /// The next lines: waits for one, then takes up to `limit` as long as more arrive within `wait`
  /// milliseconds of the first, so that interactive users and programs at the other end of a pipe are
  /// answered. Empty at the end of the input. Throws Error when a companion has too few or too many lines.
  std::vector<SourceLine> read_window(size_t limit, int64_t wait = 0);

 private:
  SourceLine checked(std::string line);
  /// The line of `companion` that belongs to `source`; empty where it has a problem, which becomes that of
  /// the source unless it has one.
  std::string companion_line(LineReader& companion, SourceLine& source) const;

  LineReader reader_;
  std::optional<ExampleFormat> format_;
  ExampleKeys keys_;
  ExampleNotes notes_;
  std::unique_ptr<LineReader> prefixes_, required_;
};

}  // namespace seq2seq
