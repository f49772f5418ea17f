#pragma once

#include <cstdint>
#include <string>

#include "seq2seq/data/corpus.h"

namespace seq2seq {

struct CheckSettings {
  CorpusFiles train;
  CorpusFiles valid;  ///< may be empty
  int64_t maximum_length = 250;
  double tokens_per_second = 3000;  ///< assumed speed of training, for the estimate of time
};

struct CheckReport {
  std::string text;        ///< lines of at most 80 columns
  bool trainable = false;  ///< `seq2seq train` would accept the files
};

/// Looks at a corpus before training and tells everything at once: faults, empty and duplicate lines, overlap
/// of training and validation, lengths, unknown words, time and memory, and the flag that mends each finding.
/// Takes memory for 64-bit hashes of the lines and of the different words, not for their text.
CheckReport check_corpora(const CheckSettings& settings);

}  // namespace seq2seq
