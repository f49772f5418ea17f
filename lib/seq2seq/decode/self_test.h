#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "seq2seq/decode/scorer.h"
#include "seq2seq/model/archive/checkpoint.h"

namespace seq2seq {

/// A source and what a model makes of it by greedy search, as numbers.
struct SelfTestCase {
  std::vector<int64_t> source;  ///< ids or slots, </s> last
  std::vector<int64_t> target;  ///< at most `self_test_length`, without </s>
  double log_probability;       ///< of target and </s>
};
using SelfTest = std::vector<SelfTestCase>;
inline constexpr int64_t self_test_length = 50;

/// What the scorer's model makes of each source, in batches of `batch_size`.
SelfTest self_test(const std::vector<std::vector<int64_t>>& sources, Scorer& scorer, int64_t batch_size = 32);
/// Of three sources drawn from the vocabulary.
SelfTest self_test(const TranslationModel& model);

std::string to_json(const SelfTest& test);
/// Throws Error naming `origin` when it is none of a model with so many source words.
SelfTest self_test_from_json(const std::string& json, const std::string& origin, int64_t source_vocabulary);

/// How a model's answers differ from those expected.
struct SelfTestReport {
  int64_t cases = 0;
  int64_t differing =
      0;  ///< greedy outputs other than expected: rounding decides between words of equal probability
  double difference = 0;  ///< the largest between two log-probabilities of an expected output
  bool passed() const { return cases > 0 && difference < 1e-3; }
};
SelfTestReport replay(const SelfTest& expected, Scorer& scorer, int64_t batch_size = 32);

}  // namespace seq2seq
