#pragma once

#include <vector>

#include "same_file.h"
#include "seq2seq/data/corpus.h"

namespace seq2seq {

/// The flags --source and --target, or --input.
void pair_file_fields(auto& files, auto& f, const auto&... attributes) {
  f("source", files.source, "source text, one sentence per line; may be .gz", everyday, attributes...);
  f("target", files.target, "its translations", everyday, attributes...);
  f("input", files.combined, "both in one .tsv or .jsonl file, instead of the two above", everyday,
    attributes...);
}

/// Throws UsageError unless both of --source and --target, or --input alone, are given.
void check_pair_files(const CorpusFiles& files);

/// The files and their flags, for `check_files`.
std::vector<NamedFile> files_of(const CorpusFiles& files);

}  // namespace seq2seq
