#pragma once

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

// Counter-based random numbers: element i of a tensor depends on the seed and on i alone, on every device.

/// Uniform in [0, 1), multiples of 2^-24, float32, shaped like `like` and on its device.
Tensor uniform_numbers(const Tensor& like, uint64_t seed);
/// Zeros with probability `p`, otherwise 1/(1-p) rounded to float32; shaped and typed like `like`.
Tensor dropout_mask(const Tensor& like, uint64_t seed, double p);
/// x times `dropout_mask`.
Tensor dropped(const Tensor& x, uint64_t seed, double p);

/// The random numbers of one micro-batch. Every draw is a function of the seed and the number of draws before
/// it, so that a resumed run draws the same masks, on every device and with any number of threads. A null
/// pointer to it means evaluation: no dropout.
class Noise {
 public:
  explicit Noise(uint64_t seed) : seed_(seed) {}

  /// Zeros with probability `p`, otherwise 1/(1-p), shaped and typed like `like`.
  Tensor mask(const Tensor& like, double p);
  /// x times the next mask; kernels do not store the mask for the gradient.
  Tensor dropped(const Tensor& x, double p);
  /// Uniform random numbers in [0, 1), float32, shaped like `like` and on its device.
  Tensor uniform(const Tensor& like);

 private:
  uint64_t next_seed();

  uint64_t seed_;
  uint64_t drawn_ = 0;
};

/// Standard dropout, each element independently; returns `x` itself if `noise` is null.
Tensor dropout(const Tensor& x, double p, Noise* noise);

/// Word dropout: replaces each id by `replacement` with probability `p`, except where `keep` is true.
Tensor word_dropout(const Tensor& ids, const Tensor& keep, int64_t replacement, double p, Noise* noise);

}  // namespace seq2seq
