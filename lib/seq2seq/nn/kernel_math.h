#pragma once

// What the row loops of nn are made of. Private to nn: inline functions that vectorize inside the loops that
// call them.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

// Each kernel body is compiled for plain, AVX2 and AVX-512 processors. Sanitizers cannot run the selection
// code, which the loader calls before they are ready.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define SEQ2SEQ_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define SEQ2SEQ_CLONES
#endif
#define SEQ2SEQ_INLINE inline __attribute__((always_inline))

namespace seq2seq::kernels {

// exp by 2^n e^r, |r| <= ln 2 / 2, a Taylor polynomial for e^r: within 2 units in the last place, and plain
// loops over it vectorize, which loops over std::exp do not.
SEQ2SEQ_INLINE float exponential(float x) {
  x = std::min(std::max(x, -87.0F), 88.0F);
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
  return p * std::bit_cast<float>((static_cast<int32_t>(n) + 127) << 23);
}
SEQ2SEQ_INLINE double exponential(double x) {
  return std::exp(x);
}

template <class Scalar>
SEQ2SEQ_INLINE Scalar sigmoid(Scalar x) {
  return Scalar(1) / (Scalar(1) + exponential(-x));
}

SEQ2SEQ_INLINE float tangent(float x) {
  const float e = exponential(2 * std::min(std::max(x, -10.0F), 10.0F));
  return (e - 1) / (e + 1);
}
SEQ2SEQ_INLINE double tangent(double x) {
  return std::tanh(x);
}

// Partial sums in fixed lanes: the compiler may vectorize them, and the result does not depend on the
// machine.
constexpr int64_t lanes = 16;

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

// Rows for one task: enough work that handing it out does not show.
inline int64_t grain(int64_t elements_a_row) {
  return std::max<int64_t>(1, 16384 / std::max<int64_t>(1, elements_a_row));
}

}  // namespace seq2seq::kernels
