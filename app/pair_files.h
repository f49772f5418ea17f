#pragma once

#include <vector>

#include "same_file.h"
#include "seq2seq/data/corpus.h"
#include "seq2seq/data/example_line.h"

namespace seq2seq {

/// The flags --source and --target, or --input and the keys of its lines.
void pair_file_fields(auto& files, auto& f, const auto&... attributes) {
  f("source", files.source, "source text, one sentence per line; may be .gz", everyday, attributes...);
  f("target", files.target, "its translations", everyday, attributes...);
  f("input", files.combined, "both in one .tsv or .jsonl file, instead of the two above", everyday,
    attributes...);
  const OptionCondition of_json_lines = only_if(has_json_lines(files.combined), "give a .jsonl file");
  f("source-key", files.keys.source, source_key_help, of_json_lines, attributes...);
  f("target-key", files.keys.target, target_key_help, of_json_lines, attributes...);
}

/// Throws UsageError unless both of --source and --target, or --input alone, are given.
void check_pair_files(const CorpusFiles& files);

CorpusFiles with_keys(CorpusFiles files, const ExampleKeys& keys);

/// The files and their flags, for `check_files`.
std::vector<NamedFile> files_of(const CorpusFiles& files);

}  // namespace seq2seq
