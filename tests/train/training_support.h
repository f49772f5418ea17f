#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "../support/compare.h"
#include "seq2seq/model/named_tensors.h"
#include "seq2seq/train/options.h"

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

}  // namespace seq2seq::test
