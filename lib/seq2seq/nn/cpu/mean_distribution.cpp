#include "seq2seq/nn/cpu/loop_math.h"
#include "seq2seq/nn/cpu/loops.h"

namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET {
namespace {

// All columns are computed `lanes` at a time, the last ones with padding: what a loop leaves over may have other bits, and
// how many columns there are varies with the copy slots of the batch.

/// The columns of a row from `first` on; minus infinity after its end.
SEQ2SEQ_INLINE void read(const float* __restrict row, int64_t width, int64_t first,
                         float* __restrict values) {
  if (first + lanes <= width)
    for (int64_t lane = 0; lane < lanes; ++lane) values[lane] = row[first + lane];
  else
    for (int64_t lane = 0; lane < lanes; ++lane)
      values[lane] = first + lane < width ? row[first + lane] : -infinity<float>;
}

SEQ2SEQ_INLINE void write(const float* __restrict values, int64_t width, int64_t first,
                          float* __restrict row) {
  if (first + lanes <= width)
    for (int64_t lane = 0; lane < lanes; ++lane) row[first + lane] = values[lane];
  else
    for (int64_t i = first; i < width; ++i) row[i] = values[i - first];
}

SEQ2SEQ_INLINE void read_member(const MeanRows& t, int64_t member, int64_t row, int64_t first,
                                float* __restrict values) {
  read(t.members[member] + row * t.widths[member], t.widths[member], first, values);
}

/// The logarithm of a positive number that is not subnormal, within 1 unit in the last place (logf of Cephes). Plain loops
/// over it vectorize.
SEQ2SEQ_INLINE float quick_logarithm(float x) {
  // x = 2^n m with m between the square roots of 1/2 and 2
  const int32_t bits = __builtin_bit_cast(int32_t, x), n = (bits - 0x3f3504f3) >> 23;
  const float r = __builtin_bit_cast(float, bits - (n << 23)) - 1, squared = r * r,
              scale = static_cast<float>(n);
  float p = 7.0376836292e-2F;
  p = p * r - 1.1514610310e-1F;
  p = p * r + 1.1676998740e-1F;
  p = p * r - 1.2420140846e-1F;
  p = p * r + 1.4249322787e-1F;
  p = p * r - 1.6668057665e-1F;
  p = p * r + 2.0000714765e-1F;
  p = p * r - 2.4999993993e-1F;
  p = p * r + 3.3333331174e-1F;
  const float y = p * r * squared - 2.12194440e-4F * scale - 0.5F * squared;
  return (r + y) + 0.693359375F * scale;
}

SEQ2SEQ_INLINE void arithmetic_mean(const MeanRows& t, int64_t row) {
  const float count = logarithm(static_cast<float>(t.count));
  for (int64_t first = 0; first < t.width; first += lanes) {
    float values[lanes], peaks[lanes], sums[lanes] = {};
    for (int64_t lane = 0; lane < lanes; ++lane) peaks[lane] = -infinity<float>;
    for (int64_t member = 0; member < t.count; ++member) {
      read_member(t, member, row, first, values);
      for (int64_t lane = 0; lane < lanes; ++lane) peaks[lane] = larger(peaks[lane], values[lane]);
    }
    for (int64_t member = 0; member < t.count; ++member) {
      read_member(t, member, row, first, values);
      // Infinity less infinity is not a number.
      for (int64_t lane = 0; lane < lanes; ++lane)
        sums[lane] += exponential(values[lane] - (peaks[lane] > -infinity<float> ? peaks[lane] : 0.0F));
    }
    for (int64_t lane = 0; lane < lanes; ++lane) {
      const float mean = (peaks[lane] + quick_logarithm(sums[lane])) - count;
      values[lane] =
          __builtin_isnan(sums[lane]) ? sums[lane] : mean;  // quick_logarithm loses what is not a number
    }
    write(values, t.width, first, t.mean + row * t.width);
  }
}

SEQ2SEQ_INLINE void geometric_mean(const MeanRows& t, int64_t row) {
  const auto count = static_cast<float>(t.count);
  float* mean = t.mean + row * t.width;
  float values[lanes], partial[lanes];
  for (int64_t lane = 0; lane < lanes; ++lane) partial[lane] = -infinity<float>;
  for (int64_t first = 0; first < t.width; first += lanes) {
    float sums[lanes] = {};
    for (int64_t member = 0; member < t.count; ++member) {
      read_member(t, member, row, first, values);
      for (int64_t lane = 0; lane < lanes; ++lane) sums[lane] += values[lane];
    }
    for (int64_t lane = 0; lane < lanes; ++lane) {
      sums[lane] /= count;
      partial[lane] = larger(partial[lane], sums[lane]);
    }
    write(sums, t.width, first, mean);
  }
  float peak = partial[0];
  for (int64_t lane = 1; lane < lanes; ++lane) peak = larger(peak, partial[lane]);
  for (int64_t lane = 0; lane < lanes; ++lane) partial[lane] = 0;
  for (int64_t first = 0; first < t.width; first += lanes) {
    read(mean, t.width, first, values);
    for (int64_t lane = 0; lane < lanes; ++lane)
      partial[lane] += values[lane] == -infinity<float> ? 0.0F : exponential(values[lane] - peak);
  }
  float sum = 0;
  for (int64_t lane = 0; lane < lanes; ++lane) sum += partial[lane];
  const float share = logarithm(sum);
  for (int64_t i = 0; i < t.width; ++i) mean[i] = (mean[i] - peak) - share;
}

}  // namespace

void mean(DistributionMean kind, const MeanRows& terms, int64_t begin, int64_t end) {
  for (int64_t row = begin; row < end; ++row)
    kind == DistributionMean::arithmetic ? arithmetic_mean(terms, row) : geometric_mean(terms, row);
}

}  // namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET
