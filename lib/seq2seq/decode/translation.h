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
  };
  NumberedSource source;        ///< as the model read it; no ids for an empty or a bad line
  std::vector<Output> outputs;  ///< n best, best first; one empty output for an empty or a bad line
};

}  // namespace seq2seq
