#include "seq2seq/decode/source_lines.h"

#include <utility>

#include "seq2seq/core/error.h"
#include "seq2seq/text/utf8.h"

namespace seq2seq {

SourceLines::SourceLines(const std::string& path) : reader_(path) {
  if (has_example_format(path)) format_ = example_format(path);
}

SourceLine SourceLines::checked(std::string line) const {
  SourceLine result{{}, {}, reader_.place(), {}};
  if (reader_.too_long()) {
    result.problem = result.place + ": the line is longer than 1 MiB; split it";
  } else if (const auto invalid = find_invalid_utf8(line)) {
    result.problem = result.place + ": byte " + std::to_string(*invalid + 1) +
                     " is not valid UTF-8; convert the input to UTF-8";
  } else if (format_) {
    try {
      RawExample example = parse_example(line, *format_, result.place, TargetField::optional);
      result.text = std::move(example.source);
      result.sentences = std::move(example.source_sentences);
    } catch (const Error& error) {
      result.problem = error.what();
    }
  } else {
    result.text = std::move(line);
  }
  return result;
}

std::vector<SourceLine> SourceLines::read_window(size_t limit) {
  std::vector<SourceLine> window;
  std::string line;
  while (window.size() < limit && (window.empty() || reader_.ready()) && reader_.next(line))
    window.push_back(checked(std::move(line)));
  return window;
}

}  // namespace seq2seq
