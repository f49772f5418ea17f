#include <ATen/Parallel.h>

#include "seq2seq/nn/kernel_math.h"
#include "seq2seq/nn/kernels.h"

namespace seq2seq::kernels {
namespace {

// A 32-bit finalizer (Wellons' lowbias32): good enough for masks, and plain loops over it vectorize.
SEQ2SEQ_INLINE uint32_t scramble(uint32_t x) {
  x ^= x >> 16;
  x *= 0x21f0aaadU;
  x ^= x >> 15;
  x *= 0x735a2d97U;
  return x ^ (x >> 15);
}

// Element i of a draw, a number below 2^24.
SEQ2SEQ_INLINE uint32_t number(const Draw& draw, uint32_t i) {
  return scramble(scramble(i ^ draw.low) + draw.high) >> 8;
}

SEQ2SEQ_CLONES void uniform_range(Draw draw, float* numbers, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i)
    numbers[i] = static_cast<float>(number(draw, static_cast<uint32_t>(i))) * 0x1.0p-24F;
}

#define SEQ2SEQ_DEFINE(Scalar)                                                                               \
  SEQ2SEQ_CLONES void mask_range(Draw draw, uint32_t threshold, Scalar scale, Scalar* __restrict y,          \
                                 int64_t begin, int64_t end) {                                               \
    for (int64_t i = begin; i < end; ++i)                                                                    \
      y[i] = number(draw, static_cast<uint32_t>(i)) < threshold ? Scalar(0) : scale;                         \
  }                                                                                                          \
  SEQ2SEQ_CLONES void dropout_range(Draw draw, uint32_t threshold, Scalar scale, const Scalar* __restrict x, \
                                    Scalar* __restrict y, int64_t begin, int64_t end) {                      \
    for (int64_t i = begin; i < end; ++i)                                                                    \
      y[i] = x[i] * (number(draw, static_cast<uint32_t>(i)) < threshold ? Scalar(0) : scale);                \
  }
SEQ2SEQ_DEFINE(float)
SEQ2SEQ_DEFINE(double)
#undef SEQ2SEQ_DEFINE

}  // namespace

void uniform(const Draw& draw, float* numbers, int64_t count) {
  at::parallel_for(0, count, grain(1),
                   [&](int64_t begin, int64_t end) { uniform_range(draw, numbers, begin, end); });
}

template <class Scalar>
void dropout(const Draw& draw, double p, const Scalar* x, Scalar* y, int64_t count) {
  const auto threshold = static_cast<uint32_t>(p * 0x1.0p24);
  const auto scale = static_cast<Scalar>(static_cast<float>(1.0 / (1.0 - p)));
  at::parallel_for(0, count, grain(1), [&](int64_t begin, int64_t end) {
    if (x == nullptr)
      mask_range(draw, threshold, scale, y, begin, end);
    else
      dropout_range(draw, threshold, scale, x, y, begin, end);
  });
}

template void dropout(const Draw&, double, const float*, float*, int64_t);
template void dropout(const Draw&, double, const double*, double*, int64_t);

}  // namespace seq2seq::kernels
