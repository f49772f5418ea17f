#pragma once

#include <cstdint>

namespace seq2seq {

/// What changes one index of a row before its best are selected: the score is the log-probability times
/// (1 + factor), plus `added`. Minus infinity forbids the index.
struct Adjustment {
  int64_t index;
  double added = 0, factor = 0;
};

}  // namespace seq2seq
