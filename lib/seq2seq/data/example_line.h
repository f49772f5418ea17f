#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "seq2seq/data/example.h"

namespace seq2seq {

enum class ExampleFormat { tsv, json_lines };

/// By the file name, with or without .gz. Throws Error listing the known endings.
ExampleFormat example_format(const std::string& path);
/// Whether the name ends in .tsv or .jsonl, or only in .jsonl, with or without .gz.
bool has_example_format(const std::string& path);

bool has_json_lines(const std::string& path);

// The options that name keys (ExampleKeys).
inline constexpr const char* source_key_help =
    "JSON lines: the key of the source text, such as translation.en; empty = source, or a usual name, which "
    "is told";
inline constexpr const char* target_key_help = "JSON lines: the key of the target text";

/// Whether an example must have a target (training), or only its source is read (translation), or only its target
/// (references): then a line of JSON may lack the other side.
enum class TargetField { required, optional, alone };

/// What is told of a file's JSON lines, each once: which keys are read unless they are `source` and `target` or
/// given, and what looks like a misspelling of `references`.
class ExampleNotes {
 public:
  void read_as(const std::string& place, const ExampleKeys& keys, const ExampleKeys& given);
  void not_read(const std::string& place, const std::string& key);
  /// The first keys that were read but not `source` and `target`; empty while there are none.
  const ExampleKeys& other_keys() const { return other_keys_; }

 private:
  ExampleKeys other_keys_;
  std::set<std::string> told_;
};

/// One line of a TSV file (source, tab, target) or of a JSON-lines file: `source`: a string or a list of
/// sentences, `target`: a string, `references`: a list of strings, other keys. Without both `source` and
/// `target`, the first of these pairs is read: `src` and `tgt`, `article` and `highlights`, `document` and
/// `summary`; without such a pair, each side by itself. `line` is valid UTF-8. Throws Error(place, ...).
RawExample parse_example(std::string_view line, ExampleFormat format, const std::string& place,
                         TargetField target = TargetField::required, const ExampleKeys& keys = {},
                         ExampleNotes* notes = nullptr);

/// The same of a line that `parse_example` has read before, as one of training: its faults are not looked for.
RawExample parse_example_again(std::string_view line, ExampleFormat format, const std::string& place,
                               const ExampleKeys& keys);

/// Whether these are read without being asked for.
bool are_usual(const ExampleKeys& keys);

}  // namespace seq2seq
