#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "seq2seq/data/example.h"
#include "seq2seq/data/sampler.h"

namespace seq2seq {

/// Examples padded to a rectangle, row-major; without tensors, so that a loader thread can build it.
/// B examples, S = longest source + 1, T = longest target + 1.
struct Batch {
  int64_t size = 0, source_width = 0, target_width = 0;
  std::vector<int64_t> source;                   ///< [B, S] ids, </s> at the end, padding after it
  std::vector<int64_t> source_lengths;           ///< [B] with </s>
  std::vector<int64_t> target_lengths;           ///< the same
  std::vector<int64_t> target_input;             ///< [B, T] begins with <s>
  std::vector<int64_t> target_output;            ///< [B, T] ends with </s>
  std::vector<uint64_t> indices;                 ///< [B] in the corpus
  int64_t source_tokens = 0, target_tokens = 0;  ///< with </s>, without padding
};

Batch make_batch(std::span<const Example> examples);

/// The rows of a batch in `parts` batches of about equal size, none wider than it has to be; 1 <= parts <= size.
std::vector<Batch> split_batch(const Batch& batch, int64_t parts);

}  // namespace seq2seq
