#pragma once

#include <cstdint>
#include <vector>

namespace seq2seq {

/// One output of a sentence, found by search or given.
struct Hypothesis {
  std::vector<int64_t> tokens;  ///< ids or copy slots (nn/copy.h), without </s>
  double log_probability = 0;   ///< of the model alone, </s> included
  double score = 0;             ///< with all penalties and biases
  /// Of each token and </s> given those before, of the model alone.
  std::vector<double> token_log_probabilities = {};
  /// The most attended source position of each token, never that of </s> or <s>; -1 = none.
  std::vector<int64_t> source_positions = {};
};

}  // namespace seq2seq
