#pragma once

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

// Numbers of a seed: element i of a tensor is a function of the seed and of i, the same on every device.

/// Uniform in [0, 1), multiples of 2^-24, in float32, shaped like `like` and on its device.
Tensor uniform_numbers(const Tensor& like, uint64_t seed);
/// Zeros with probability `p`, else 1/(1-p) as float32 has it, shaped and typed like `like`.
Tensor dropout_mask(const Tensor& like, uint64_t seed, double p);
/// x times that mask.
Tensor dropped(const Tensor& x, uint64_t seed, double p);

/// Where the randomness of one micro-batch comes from. Every mask is a function of the seed and of how many
/// masks were drawn before it, so that a resumed run draws the same ones, on every device and with any number
/// of threads. A null pointer to it means evaluation: no dropout anywhere.
class Noise {
 public:
  explicit Noise(uint64_t seed) : seed_(seed) {}

  /// Zeros with probability `p`, else 1/(1-p), shaped and typed like `like`.
  Tensor mask(const Tensor& like, double p);
  /// x times the next mask; the kernels keep no mask for the gradient.
  Tensor dropped(const Tensor& x, double p);
  /// Uniform numbers in [0, 1) in float32, shaped like `like` and on its device.
  Tensor uniform(const Tensor& like);

 private:
  uint64_t next_seed();

  uint64_t seed_;
  uint64_t drawn_ = 0;
};

/// Regular dropout: every element on its own.
Tensor dropout(const Tensor& x, double p, Noise* noise);

/// Word dropout: each id becomes `replacement` with probability `p`, positions where `keep` is true excepted.
Tensor word_dropout(const Tensor& ids, const Tensor& keep, int64_t replacement, double p, Noise* noise);

}  // namespace seq2seq
