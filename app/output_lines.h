#pragma once

#include <fstream>
#include <iostream>
#include <string>

namespace seq2seq {

/// A file that is written line by line, or standard output ("-"). Throws Error when it cannot be written.
class OutputLines {
 public:
  explicit OutputLines(const std::string& path);
  /// Writes and flushes `text`.
  void write(const std::string& text);

 private:
  std::string name_;
  std::ofstream file_;
  std::ostream* stream_ = &std::cout;
};

}  // namespace seq2seq
