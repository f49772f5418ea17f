#pragma once

#include <string>
#include <vector>

#include "seq2seq/data/numbered_text.h"
#include "seq2seq/decode/hypothesis.h"

namespace seq2seq {

/// The outputs of one line.
struct Translation {
  struct Output : Hypothesis {
    std::string text = {};
    std::vector<std::string> missing_texts = {};  ///< required phrases that it lacks
  };
  NumberedSource source;  ///< as the model read it; no ids for an empty or a bad line
  /// n best, best first. A line for which nothing was found has one empty output, whose score and
  /// log-probability are not a number.
  std::vector<Output> outputs;
  bool answered() const;
};

}  // namespace seq2seq
