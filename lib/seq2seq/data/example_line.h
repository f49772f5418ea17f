#pragma once

#include <string>
#include <string_view>

#include "seq2seq/data/example.h"

namespace seq2seq {

enum class ExampleFormat { tsv, json_lines };

/// By the file name, with or without .gz. Throws Error listing the known endings.
ExampleFormat example_format(const std::string& path);
/// Whether the name ends in .tsv or .jsonl, with or without .gz.
bool has_example_format(const std::string& path);

/// Whether an example must have a target (training), or only its source is read (translation).
enum class TargetField { required, optional };

/// One line of a TSV file (source, tab, target) or of a JSON-lines file (`source`: a string or a list of
/// sentences, `target`: a string, `references`: a list of strings; other keys are ignored unless they look
/// like a misspelling of these). `line` is valid UTF-8. Throws Error(place, ...).
RawExample parse_example(std::string_view line, ExampleFormat format, const std::string& place,
                         TargetField target = TargetField::required);

}  // namespace seq2seq
