#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "seq2seq/data/corpus.h"
#include "seq2seq/data/numbered_text.h"

namespace seq2seq {

struct CheckSettings {
  CorpusFiles train;
  CorpusFiles valid;  ///< may be empty
  int64_t maximum_length = 250;
  double tokens_per_second = 3000;  ///< assumed training speed, for the time estimate
  /// What was made earlier and is to be used on the training text; null where that text makes it.
  std::shared_ptr<const TextCodec> given_source, given_target;
  TextForm form;
  double maximum_unknown = 0.5;  ///< share of <unk> that these may leave in a side's tokens
  std::string given_remedy;      ///< where they leave more
};

struct CheckReport {
  std::string text;        ///< lines of at most 80 columns
  bool trainable = false;  ///< `seq2seq train` would accept the files
};

/// Examines a corpus before training and reports everything at once: faults, empty and duplicate lines,
/// overlap of training and validation, lengths, unknown words and tokens, estimated time and memory, and the flag that
/// fixes each finding. Keeps 64-bit hashes of lines and distinct words in memory, not their text.
CheckReport check_corpora(const CheckSettings& settings);

}  // namespace seq2seq
