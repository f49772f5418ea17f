#pragma once

#include <cstdint>
#include <vector>

namespace seq2seq {

/// One output of a sentence, found by search or given.
struct Hypothesis {
  std::vector<int64_t> tokens;  ///< ids or copy slots (nn/ops/copy.h), without </s>
  double log_probability = 0;   ///< of the model alone, </s> included
  double score = 0;             ///< with all penalties and biases
  /// Of each token and </s> given those before, of the model alone.
  std::vector<double> token_log_probabilities = {};
  /// The most attended source position of each token, never that of </s> or <s>; -1 = none.
  std::vector<int64_t> source_positions = {};
  /// Required phrases that it lacks, by their places in `SentenceRules::required`.
  std::vector<size_t> missing = {};
};

/// Why a sentence has no output:
///   rules             the options and rules of its search left no word to write
///   zeros             the model gave each word that could follow the probability 0
///   endless           the model gave the end of each output of maximum length the probability 0
///   not_numbers       the model's probabilities are not numbers (NaN)
///   not_distribution  the model's probabilities do not sum to 1
enum class NoOutput { none, rules, zeros, endless, not_numbers, not_distribution };
/// In words, for a message.
const char* reason_of(NoOutput why);

/// The outputs that search found for a sentence, best first.
struct SentenceOutputs : std::vector<Hypothesis> {
  NoOutput why = NoOutput::none;  ///< other than `none` exactly if there is no output
  /// Throws Error if there is none.
  const Hypothesis& best() const;
};

}  // namespace seq2seq
