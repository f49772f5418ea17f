#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "seq2seq/decode/scorer.h"
#include "seq2seq/model/archive/checkpoint.h"

namespace seq2seq {

/// A source and a model's output for it by greedy search, as ids.
struct SelfTestCase {
  std::vector<int64_t> source;                   ///< ids or copy slots, </s> last
  std::vector<int64_t> target;                   ///< at most `self_test_length` tokens, without </s>
  double log_probability;                        ///< of target and </s>
  WeightFormat weights = WeightFormat::float32;  ///< with which it was found
};
using SelfTest = std::vector<SelfTestCase>;
inline constexpr int64_t self_test_length = 50;

/// The scorer's greedy outputs for the sources, in batches of `batch_size`.
SelfTest self_test(const std::vector<std::vector<int64_t>>& sources, Scorer& scorer, int64_t batch_size = 32);
/// The self-test of three random sources, with the model's own weights, quantized or not.
SelfTest self_test(const TranslationModel& model);

std::string to_json(const SelfTest& test);
/// Throws Error naming `origin` unless it is a self-test of a model with this source vocabulary size.
SelfTest self_test_from_json(const std::string& json, const std::string& origin, int64_t source_vocabulary);

/// How a model's outputs differ from those expected.
struct SelfTestReport {
  int64_t cases = 0;
  /// Greedy outputs other than expected; no failure, as rounding decides between equally probable tokens.
  int64_t differing = 0;
  double difference = 0;  ///< largest difference in the log-probability of an expected output
  int64_t beyond = 0;     ///< cases in which it was not below 1e-3 and what a token allows
  bool passed() const { return cases > 0 && beyond == 0; }
};
/// `allowed`: difference for each token of an output, </s> included, where weights were rounded.
SelfTestReport replay(const SelfTest& expected, Scorer& scorer, int64_t batch_size = 32, double allowed = 0);

}  // namespace seq2seq
