#pragma once

// What the loops of nn/cpu are made of. Files compiled for an instruction set include nothing else of ours
// but loops.h: an inline function of a library, compiled for AVX-512, may be the one that the linker picks
// for the whole program. So all of this is inlined or local to its file, and mathematics comes from <math.h>.

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
// Where one number is wanted: as exact as the library has it.
SEQ2SEQ_INLINE float exact_exponential(float x) {
  return ::expf(x);
}
SEQ2SEQ_INLINE double exact_exponential(double x) {
  return ::exp(x);
}

// exp by 2^n e^r, |r| <= ln 2 / 2, a Taylor polynomial for e^r: within 2 units in the last place, and plain
// loops over it vectorize, which loops over std::exp do not.
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

// Partial sums in fixed lanes: the compiler may vectorize them, and the result does not depend on the
// machine.
template <class Scalar, class Term>
SEQ2SEQ_INLINE Scalar lane_sum(int64_t count, Term term) {
  Scalar partial[lanes] = {};
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (int64_t lane = 0; lane < lanes; ++lane) partial[lane] += term(i + lane);
  Scalar total = 0;
  for (; i < count; ++i) total += term(i);
  for (int64_t step = lanes / 2; step > 0; step /= 2)
    for (int64_t lane = 0; lane < step; ++lane) partial[lane] += partial[lane + step];
  return total + partial[0];
}

/// As many numbers as there are lanes, in vectors as wide as the instruction set has them: for sums that a
/// compiler must not take apart.
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

  /// += factor times the numbers that begin at `from`
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
