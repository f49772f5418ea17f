#pragma once

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// Where the randomness of one micro-batch comes from. Every mask is a function of the seed and of how many
/// masks were drawn before it, so that a resumed run draws the same ones, on every device and with any number
/// of threads. A null pointer to it means evaluation: no dropout anywhere.
class Noise {
 public:
  explicit Noise(uint64_t seed) : seed_(seed) {}

  /// Zeros with probability `p`, else 1/(1-p), shaped and typed like `like`.
  Tensor mask(const Tensor& like, double p);
  /// x times the next mask, on a CPU in one pass and without keeping the mask for the gradient.
  Tensor dropped(const Tensor& x, double p);
  /// Uniform numbers in [0, 1) in float32, shaped like `like` and on its device.
  Tensor uniform(const Tensor& like);

 private:
  uint64_t seed_;
  uint64_t drawn_ = 0;
};

/// Regular dropout: every element on its own.
Tensor dropout(const Tensor& x, double p, Noise* noise);

/// Word dropout: each id becomes `replacement` with probability `p`, positions where `keep` is true excepted.
Tensor word_dropout(const Tensor& ids, const Tensor& keep, int64_t replacement, double p, Noise* noise);

}  // namespace seq2seq
