#include "seq2seq/nn/cpu/loop_math.h"
#include "seq2seq/nn/cpu/loops.h"

namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET {
namespace {

// A 32-bit integer hash from Wellons' hash-prospector: good enough for masks, and loops over it vectorize.
SEQ2SEQ_INLINE uint32_t scramble(uint32_t x) {
  x ^= x >> 16;
  x *= 0x21f0aaadU;
  x ^= x >> 15;
  x *= 0x735a2d97U;
  return x ^ (x >> 15);
}

// The random integer i of a draw, below 2^24.
SEQ2SEQ_INLINE uint32_t number(const Draw& draw, uint32_t i) {
  return scramble(scramble(i ^ draw.low) + draw.high) >> 8;
}

template <class Scalar>
SEQ2SEQ_INLINE void mask_range(const DropoutTerms<Scalar> t, int64_t begin, int64_t end) {
  Scalar* __restrict y = t.y;
  for (int64_t i = begin; i < end; ++i)
    y[i] = number(t.draw, static_cast<uint32_t>(i)) < t.threshold ? Scalar(0) : t.scale;
}

template <class Scalar>
SEQ2SEQ_INLINE void dropout_range(const DropoutTerms<Scalar> t, int64_t begin, int64_t end) {
  const Scalar* __restrict x = t.x;
  Scalar* __restrict y = t.y;
  for (int64_t i = begin; i < end; ++i)
    y[i] = x[i] * (number(t.draw, static_cast<uint32_t>(i)) < t.threshold ? Scalar(0) : t.scale);
}

}  // namespace

void uniform(const Draw& draw, float* numbers, int64_t begin, int64_t end) {
  const Draw fixed = draw;
  for (int64_t i = begin; i < end; ++i)
    numbers[i] = static_cast<float>(number(fixed, static_cast<uint32_t>(i))) * 0x1.0p-24F;
}

void dropout(const DropoutTerms<float>& terms, int64_t begin, int64_t end) {
  if (terms.x == nullptr)
    mask_range(terms, begin, end);
  else
    dropout_range(terms, begin, end);
}
void dropout(const DropoutTerms<double>& terms, int64_t begin, int64_t end) {
  if (terms.x == nullptr)
    mask_range(terms, begin, end);
  else
    dropout_range(terms, begin, end);
}

}  // namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET
