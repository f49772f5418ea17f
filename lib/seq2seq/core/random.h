#pragma once

#include <cstdint>
#include <initializer_list>

namespace seq2seq {

/// A seed derived from several numbers (seed, update, ...). Every random decision starts from such a seed
/// rather than from a running generator, so that resuming and gradient accumulation agree by construction.
uint64_t mix_seed(std::initializer_list<uint64_t> parts);

/// splitmix64 (Steele et al. 2014): small, seekable, the same on every platform.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next();
  /// Uniform in [0, 1).
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  /// Uniform in [0, bound), bound > 0.
  uint64_t below(uint64_t bound);

 private:
  uint64_t state_;
};

}  // namespace seq2seq
