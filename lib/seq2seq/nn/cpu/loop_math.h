#pragma once

// Building blocks of the loops of nn/cpu. Files compiled for an instruction set include no other header of the library
// than those of loops (this, loops.h, tiles.h, int8_arithmetic.h, engine/quantization.h) and plain structs: the linker may
// pick an inline function compiled for AVX-512 for the whole program. So all of this is inlined or local to its file, and
// mathematical functions come from <math.h>.

#include <math.h>

#include "seq2seq/nn/cpu/loops.h"

#define SEQ2SEQ_INLINE inline __attribute__((always_inline))

namespace seq2seq::kernels {
namespace {

template <class Scalar>
constexpr Scalar infinity = __builtin_huge_val();

template <class Scalar>
SEQ2SEQ_INLINE Scalar larger(Scalar a, Scalar b) {
  return a < b ? b : a;
}
template <class Scalar>
SEQ2SEQ_INLINE Scalar smaller(Scalar a, Scalar b) {
  return b < a ? b : a;
}

SEQ2SEQ_INLINE float logarithm(float x) {
  return ::logf(x);
}
SEQ2SEQ_INLINE double logarithm(double x) {
  return ::log(x);
}
// For single values, with the accuracy of the C library.
SEQ2SEQ_INLINE float exact_exponential(float x) {
  return ::expf(x);
}
SEQ2SEQ_INLINE double exact_exponential(double x) {
  return ::exp(x);
}

// exp as 2^n e^r, |r| <= ln 2 / 2, with a Taylor polynomial for e^r: within 2 units in the last place
// for arguments in [-87, 88], to which others are clamped. Plain loops over it vectorize, which loops
// over std::exp do not.
SEQ2SEQ_INLINE float exponential(float x) {
  x = smaller(larger(x, -87.0F), 88.0F);
  const float shifted = x * 1.44269504F + 12582912.0F;  // 1.5 * 2^23: rounds to the nearest integer
  const float n = shifted - 12582912.0F;
  const float r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
  float p = 1.0F / 5040;
  p = p * r + 1.0F / 720;
  p = p * r + 1.0F / 120;
  p = p * r + 1.0F / 24;
  p = p * r + 1.0F / 6;
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  return p * __builtin_bit_cast(float, (static_cast<int32_t>(n) + 127) << 23);
}
SEQ2SEQ_INLINE double exponential(double x) {
  return ::exp(x);
}

template <class Scalar>
SEQ2SEQ_INLINE Scalar sigmoid(Scalar x) {
  return Scalar(1) / (Scalar(1) + exponential(-x));
}

SEQ2SEQ_INLINE float tangent(float x) {
  const float e = exponential(2 * smaller(larger(x, -10.0F), 10.0F));
  return (e - 1) / (e + 1);
}
SEQ2SEQ_INLINE double tangent(double x) {
  return ::tanh(x);
}

// Sums in `lanes` partial sums: the compiler may vectorize them, and the order of summation is the same for all
// instruction sets. Zeros after the last term change nothing, not a bit.
template <class Scalar, class Term>
SEQ2SEQ_INLINE Scalar lane_sum(int64_t count, Term term) {
  Scalar partial[lanes] = {};
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (int64_t lane = 0; lane < lanes; ++lane) partial[lane] += term(i + lane);
  for (int64_t lane = 0; i + lane < count; ++lane) partial[lane] += term(i + lane);
  for (int64_t step = lanes / 2; step > 0; step /= 2)
    for (int64_t lane = 0; lane < step; ++lane) partial[lane] += partial[lane + step];
  return partial[0];
}

/// Softmax of `count` scores in place.
template <class Scalar>
SEQ2SEQ_INLINE void softmax(Scalar* __restrict scores, int64_t count) {
  Scalar peak = -infinity<Scalar>;
  for (int64_t s = 0; s < count; ++s) peak = scores[s] > peak ? scores[s] : peak;
  for (int64_t s = 0; s < count; ++s) scores[s] = exponential(scores[s] - peak);
  const Scalar sum = lane_sum<Scalar>(count, [=](int64_t s) { return scores[s]; });
  for (int64_t s = 0; s < count; ++s) scores[s] /= sum;
}

/// `lanes` values in explicit vectors of the width of the instruction set: left to itself, the compiler may
/// scalarize such sums.
template <class Scalar>
struct Lanes {
#if defined(__AVX512F__)
  static constexpr int64_t bytes = 64;
#elif defined(__AVX__)
  static constexpr int64_t bytes = 32;
#else
  static constexpr int64_t bytes = 16;
#endif
  static constexpr int64_t width = bytes / sizeof(Scalar), parts = lanes / width;
  typedef Scalar Vector __attribute__((vector_size(bytes)));
  Vector part[parts];

  /// += factor times the `lanes` values that begin at `from`
  SEQ2SEQ_INLINE void add(Scalar factor, const Scalar* from) {
    for (int64_t i = 0; i < parts; ++i) {
      Vector values;
      __builtin_memcpy(&values, from + i * width, bytes);
      part[i] += factor * values;
    }
  }
  SEQ2SEQ_INLINE void write(Scalar factor, Scalar* to) const {
    for (int64_t i = 0; i < parts; ++i) {
      const Vector values = factor * part[i];
      __builtin_memcpy(to + i * width, &values, bytes);
    }
  }
};

SEQ2SEQ_INLINE int64_t padded(int64_t length) {
  return (length + lanes - 1) / lanes * lanes;
}

}  // namespace
}  // namespace seq2seq::kernels
