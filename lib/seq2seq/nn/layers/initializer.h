#pragma once

#include <ATen/core/Generator.h>

#include <cstdint>

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// How weights begin: drawn from a seed alone, one after the other. Each layer asks for its own parameters
/// first, then for those of its parts, both in the order in which they are registered.
class Initializer {
 public:
  /// Matrices, too, are uniform in +-range.
  Initializer(uint64_t seed, double range);
  /// The same numbers go on, and a matrix [O, I] is uniform in +-sqrt(6 / (O + I)) (Glorot and Bengio 2010).
  Initializer glorot() const;

  void matrix(const Tensor& weight);
  void uniform(const Tensor& values);

 private:
  at::Generator generator_;  // shared by copies
  double range_;
  bool glorot_ = false;
};

}  // namespace seq2seq
