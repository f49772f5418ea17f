#pragma once

// Rounding to int8, of weights and of what is multiplied with them. Included by the loops of nn/cpu, so that all of it is
// inlined (cpu/loop_math.h).

#include <stdint.h>

namespace seq2seq {
namespace {

/// Numbers are taken as `scale` times an integer within +-127, the nearest one to x times `inverse`.
struct Quantization {
  float scale, inverse;
};

/// Of numbers of which these are the bits of the largest magnitude. Where not all are finite the scale is not a number, and
/// neither is what is made of them; where all are next to 0 it is 0.
inline __attribute__((always_inline)) Quantization quantization_of(int32_t bits) {
  constexpr int32_t infinity_bits = 0x7F800000;
  constexpr float least = 1e-30F;  // whose inverse is finite
  const float largest = __builtin_bit_cast(float, bits);
  if (bits >= infinity_bits) return {__builtin_nanf(""), 0};
  if (largest < least) return {0, 0};
  return {largest / 127, 127 / largest};
}

/// The bits of the largest magnitude; those of infinities and of what is not a number are larger than all others.
inline __attribute__((always_inline)) int32_t largest_bits(const float* x, int64_t count) {
  int32_t largest = 0;
  for (int64_t i = 0; i < count; ++i) {
    const int32_t bits = __builtin_bit_cast(int32_t, x[i]) & 0x7FFFFFFF;
    largest = bits > largest ? bits : largest;
  }
  return largest;
}

/// The nearest integer to x times `inverse`, of two the even one. To be compiled without fused multiply-add, which rounds
/// once instead of twice.
inline __attribute__((always_inline)) int8_t quantized(float x, float inverse) {
  const float scaled = x * inverse;
  // 1.5 * 2^23: a sum has no places left for fractions, and its lowest bits are those of the integer.
  return static_cast<int8_t>(__builtin_bit_cast(int32_t, scaled + 12582912.0F));
}

}  // namespace
}  // namespace seq2seq
