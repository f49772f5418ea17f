#pragma once

// Private to the library: the random streams of training.

#include <cstdint>

namespace seq2seq {

/// Tags that derive independent streams of random numbers from a run's seed.
enum RandomStream : uint64_t {
  dropout_stream = 1,
  data_stream = 2,
  weights_stream = 4,
  vocabulary_stream = 5
};

}  // namespace seq2seq
