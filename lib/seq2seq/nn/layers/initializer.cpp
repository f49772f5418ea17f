#include "seq2seq/nn/layers/initializer.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <cmath>

namespace seq2seq {

Initializer::Initializer(uint64_t seed, double range)
    : generator_(at::detail::createCPUGenerator(seed)), range_(range) {}

Initializer Initializer::glorot() const {
  Initializer result = *this;
  result.glorot_ = true;
  return result;
}

void Initializer::matrix(const Tensor& weight) {
  if (!glorot_) return uniform(weight);
  const at::NoGradGuard no_grad;
  const double range = std::sqrt(6.0 / static_cast<double>(weight.size(0) + weight.size(1)));
  weight.uniform_(-range, range, generator_);
}

void Initializer::uniform(const Tensor& values) {
  const at::NoGradGuard no_grad;
  values.uniform_(-range_, range_, generator_);
}

void Initializer::constant(const Tensor& values, double value) {
  const at::NoGradGuard no_grad;
  values.fill_(value);
}

}  // namespace seq2seq
