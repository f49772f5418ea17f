#pragma once

#include <cstdint>
#include <string>

#include "seq2seq/data/corpus.h"

namespace seq2seq {

struct CheckSettings {
  CorpusFiles train;
  CorpusFiles valid;  ///< may be empty
  int64_t maximum_length = 250;
  double tokens_per_second = 3000;  ///< assumed training speed, for the time estimate
};

struct CheckReport {
  std::string text;        ///< lines of at most 80 columns
  bool trainable = false;  ///< `seq2seq train` would accept the files
};

/// Examines a corpus before training and reports everything at once: faults, empty and duplicate lines,
/// overlap of training and validation, lengths, unknown words, estimated time and memory, and the flag that
/// fixes each finding. Keeps 64-bit hashes of lines and distinct words in memory, not their text.
CheckReport check_corpora(const CheckSettings& settings);

}  // namespace seq2seq
