#pragma once

#include <ATen/core/Generator.h>

#include <cstdint>

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// Initial values of parameters, drawn one after the other from a seeded generator. Each layer initializes
/// its own parameters first, then its submodules, both in the order in which they are registered.
class Initializer {
 public:
  /// All values are uniform in +-range.
  Initializer(uint64_t seed, double range);
  /// Continues the same random sequence with matrices [O, I] uniform in +-sqrt(6 / (O + I))
  /// (Glorot and Bengio 2010).
  Initializer glorot() const;

  void matrix(const Tensor& weight);
  void uniform(const Tensor& values);
  void constant(const Tensor& values, double value);

 private:
  at::Generator generator_;  // shared by copies
  double range_;
  bool glorot_ = false;
};

}  // namespace seq2seq
