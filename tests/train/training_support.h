#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <string>
#include <utility>

#include "../support/compare.h"
#include "seq2seq/model/named_tensors.h"
#include "seq2seq/train/options.h"
#include "seq2seq/train/training_state.h"

namespace seq2seq::test {

/// A tiny word-level model without dropout.
inline TrainOptions small_training() {
  TrainOptions options;
  options.text.tokenizer = WordTokenizerOptions{};
  options.model.embedding.size = 4;
  options.model.encoder = RnnEncoderOptions{.size = 3, .dropout = 0};
  options.model.decoder = RnnDecoderOptions{.size = 5, .dropout = 0};
  return options;
}

/// The texts of twelve pairs: a target has from 1 to 12 words, so that all have 90 tokens with their </s>.
inline std::pair<std::string, std::string> twelve_pairs() {
  std::string source, target;
  for (int i = 0; i < 12; ++i) {
    for (int word = 0; word <= i % 5; ++word) source.append(1, "abcde"[word * i % 5]).append(1, ' ');
    for (int word = 0; word <= i; ++word) target.append(1, "vwxyz"[(word + i) % 5]).append(1, ' ');
    source.back() = target.back() = '\n';
  }
  return {source, target};
}

/// Copies of the current values.
inline NamedTensors copied(const NamedTensors& tensors) {
  NamedTensors result;
  for (const auto& [name, tensor] : tensors) result[name] = tensor.detach().clone();
  return result;
}

inline void expect_same_tensors(const NamedTensors& actual, const NamedTensors& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (const auto& [name, tensor] : expected) EXPECT_TRUE(same(actual.at(name), tensor)) << name;
}

/// Bit for bit.
inline void expect_same_progress(const Progress& a, const Progress& b) {
  const auto bits = [](double value) { return std::bit_cast<uint64_t>(value); };
  EXPECT_EQ(a.updates, b.updates);
  EXPECT_EQ(a.position, b.position);
  EXPECT_EQ(a.held_out_rule, b.held_out_rule);
  EXPECT_EQ(a.counted, b.counted);
  EXPECT_EQ(bits(a.interval.loss), bits(b.interval.loss));
  EXPECT_EQ(bits(a.interval.negative_log_likelihood), bits(b.interval.negative_log_likelihood));
  EXPECT_EQ(bits(a.interval.gradient_norm), bits(b.interval.gradient_norm));
  EXPECT_EQ(bits(a.interval.waited_seconds), bits(b.interval.waited_seconds));
  EXPECT_EQ(a.interval.target_tokens, b.interval.target_tokens);
  EXPECT_EQ(a.interval.updates, b.interval.updates);
  EXPECT_EQ(bits(a.schedule.plateau_scale), bits(b.schedule.plateau_scale));
  EXPECT_EQ(a.schedule.stalled_validations, b.schedule.stalled_validations);
  EXPECT_EQ(a.target_tokens, b.target_tokens);
  EXPECT_EQ(bits(a.training_seconds), bits(b.training_seconds));
  EXPECT_EQ(bits(a.best_score), bits(b.best_score));
  EXPECT_EQ(a.best_update, b.best_update);
  EXPECT_EQ(a.stalled_validations, b.stalled_validations);
  EXPECT_EQ(a.validated_update, b.validated_update);
}

}  // namespace seq2seq::test
