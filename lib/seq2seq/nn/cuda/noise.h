#pragma once

// Random numbers by place and seed, equal to those of nn/cpu/dropout.cpp: one element a thread.

#include "seq2seq/nn/cuda/group.h"

namespace seq2seq::cuda {

SEQ2SEQ_DEVICE inline uint32_t scrambled(uint32_t x) {
  x ^= x >> 16;
  x *= 0x21f0aaadU;
  x ^= x >> 15;
  x *= 0x735a2d97U;
  return x ^ (x >> 15);
}

/// The random integer i of a draw, below 2^24.
SEQ2SEQ_DEVICE inline uint32_t random_integer(const kernels::Draw& draw, int64_t i) {
  return scrambled(scrambled(static_cast<uint32_t>(i) ^ draw.low) + draw.high) >> 8;
}

template <class Scalar>
struct DropoutElement {
  kernels::DropoutTerms<Scalar> terms;

  SEQ2SEQ_DEVICE void operator()(int64_t i) const {
    const Scalar factor = random_integer(terms.draw, i) < terms.threshold ? Scalar(0) : terms.scale;
    terms.y[i] = terms.x == nullptr ? factor : terms.x[i] * factor;
  }
};

struct UniformElement {
  kernels::Draw draw;
  float* numbers;

  SEQ2SEQ_DEVICE void operator()(int64_t i) const {
    numbers[i] = static_cast<float>(random_integer(draw, i)) * (1.0F / 16777216.0F);
  }
};

}  // namespace seq2seq::cuda
