#pragma once

#include <cstdint>
#include <vector>

namespace seq2seq {

/// One output of a sentence, found by search or given.
struct Hypothesis {
  std::vector<int64_t> tokens;  ///< words and slots, without </s>
  double log_probability = 0;   ///< of the model alone, with that of </s>
  double score = 0;             ///< under all penalties and biases
  /// Of the model, for each token and </s>, given those before.
  std::vector<double> token_log_probabilities = {};
  /// For each token the source word looked at most, no </s> or <s>; -1 = none.
  std::vector<int64_t> source_positions = {};
};

}  // namespace seq2seq
