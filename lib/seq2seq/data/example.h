#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "seq2seq/text/text_codec.h"

namespace seq2seq {

/// One pair as read from the files.
struct RawExample {
  std::string source;
  std::string target;
  std::vector<std::string> references;        ///< further references, JSON lines only
  std::vector<std::string> source_sentences;  ///< if the source is an array; `source` joins them by spaces
};

/// The keys of JSON lines that hold the texts; a dot leads into an object ("translation.en"). Where one is
/// empty, `source` and `target` are read, or the usual names (example_line.h).
struct ExampleKeys {
  std::string source = {}, target = {};
  bool required = true;  ///< otherwise a line without them is read as if none were given
  bool empty() const { return source.empty() && target.empty(); }
};

/// One pair as ids, without <s> and </s>.
struct Example {
  uint64_t index = 0;  ///< in the corpus
  std::vector<int64_t> source;
  std::vector<int64_t> target;
};

}  // namespace seq2seq
