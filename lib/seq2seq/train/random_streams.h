#pragma once

// Not installed.

#include <cstdint>

namespace seq2seq {

/// Streams of random numbers that are drawn from a run's seed and must not meet.
enum RandomStream : uint64_t {
  dropout_stream = 1,
  data_stream = 2,
  weights_stream = 4,
  vocabulary_stream = 5
};

}  // namespace seq2seq
