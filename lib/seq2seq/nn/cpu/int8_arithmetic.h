#pragma once

// What an instruction set has for products of integers of 8 bits: `Arithmetic`, which says
//   Sums               of `columns` columns
//   Weights, Inputs    4 inputs of each of them, and of one row of x
//   offset             what the rows have too much: the sums of the weights, times this, are to be subtracted
//   rows, panels       the largest tile
//   most_sums          Sums that stay in registers beside what they are made of
//   row_bytes(inputs)  of a row of x
// Sums are exact: they have 32 bits, and no step on the way to them is cut off.

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "seq2seq/nn/cpu/loop_math.h"

namespace seq2seq::kernels {
namespace {

constexpr int64_t group_width = 4;   // inputs that stand side by side in a panel
constexpr int64_t chunk_width = 64;  // inputs that are rounded together

SEQ2SEQ_INLINE int64_t padded_to_chunks(int64_t inputs) {
  return (inputs + chunk_width - 1) / chunk_width * chunk_width;
}

SEQ2SEQ_INLINE int32_t four_bytes(const unsigned char* from) {
  int32_t bytes;
  __builtin_memcpy(&bytes, from, sizeof bytes);
  return bytes;
}

#if defined(__AVX512VNNI__) || defined(SEQ2SEQ_EMULATED_VNNI)

/// Products of bytes without and with sign, four of which are added to a sum at once. The rows of x are raised by 128.
struct Arithmetic {
  static constexpr int64_t columns = 16;
  static constexpr int32_t offset = 128;
  static constexpr int rows = 6, panels = 4, most_sums = 24;
#if defined(__AVX512VNNI__)
  using Sums = __m512i;
  using Weights = __m512i;
  using Inputs = __m512i;
#else
  struct Sums {
    int32_t of[columns];
  };
  struct Weights {
    int8_t of[columns * group_width];
  };
  struct Inputs {
    unsigned char of[group_width];
  };
#endif

  static SEQ2SEQ_INLINE int64_t row_bytes(int64_t inputs) {
    return padded_to_chunks(inputs);
  }
  static SEQ2SEQ_INLINE void write(const int8_t* __restrict chunk, unsigned char* __restrict row,
                                   int64_t first, int64_t /*inputs*/) {
    for (int64_t i = 0; i < chunk_width; ++i)
      row[first + i] = static_cast<unsigned char>(static_cast<unsigned char>(chunk[i]) ^ 0x80U);
  }
  static SEQ2SEQ_INLINE void read(const int8_t* from, Weights& weights) {
    __builtin_memcpy(&weights, from, sizeof weights);
  }
  static SEQ2SEQ_INLINE void read(const unsigned char* row, int64_t group, int64_t /*inputs*/,
                                  Inputs& inputs) {
#if defined(__AVX512VNNI__)
    inputs = _mm512_set1_epi32(four_bytes(row + group * group_width));
#else
    __builtin_memcpy(&inputs, row + group * group_width, sizeof inputs);
#endif
  }
  static SEQ2SEQ_INLINE void add(const Inputs& inputs, const Weights& weights, Sums& sums) {
#if defined(__AVX512VNNI__)
    sums = _mm512_dpbusd_epi32(sums, inputs, weights);
#else
    for (int64_t c = 0; c < columns; ++c)
      for (int64_t i = 0; i < group_width; ++i)
        sums.of[c] += int32_t{inputs.of[i]} * int32_t{weights.of[c * group_width + i]};
#endif
  }
};

#elif defined(__AVX2__)

#if defined(__AVX512BW__)
struct Words {
  using Vector = __m512i;
  static constexpr int rows = 10, panels = 2, most_sums = 20;
  static SEQ2SEQ_INLINE Vector of(int32_t word) { return _mm512_set1_epi32(word); }
  static SEQ2SEQ_INLINE Vector even(Vector x) { return _mm512_srai_epi16(_mm512_slli_epi16(x, 8), 8); }
  static SEQ2SEQ_INLINE Vector odd(Vector x) { return _mm512_srai_epi16(x, 8); }
  static SEQ2SEQ_INLINE Vector products(Vector x, Vector y) { return _mm512_madd_epi16(x, y); }
  static SEQ2SEQ_INLINE Vector sum(Vector x, Vector y) { return _mm512_add_epi32(x, y); }
};
#else
struct Words {
  using Vector = __m256i;
  static constexpr int rows = 10, panels = 1, most_sums = 10;
  static SEQ2SEQ_INLINE Vector of(int32_t word) { return _mm256_set1_epi32(word); }
  static SEQ2SEQ_INLINE Vector even(Vector x) { return _mm256_srai_epi16(_mm256_slli_epi16(x, 8), 8); }
  static SEQ2SEQ_INLINE Vector odd(Vector x) { return _mm256_srai_epi16(x, 8); }
  static SEQ2SEQ_INLINE Vector products(Vector x, Vector y) { return _mm256_madd_epi16(x, y); }
  static SEQ2SEQ_INLINE Vector sum(Vector x, Vector y) { return _mm256_add_epi32(x, y); }
};
#endif

/// Products of words of 16 bits, two of which become a sum of 32. The bytes of weights are widened in registers, for all
/// rows of a tile, the second and the fourth of each group apart from the others; rows of x are kept as words, all the first
/// and third inputs of groups before all the others. (Products of bytes, of which sums of two just fit into 16 bits, take a
/// sign from every pair of row and weight, which costs what they save.)
struct Arithmetic {
  using Sums = Words::Vector;
  struct Both {
    Words::Vector even, odd;
  };
  using Weights = Both;
  using Inputs = Both;
  static constexpr int64_t columns = sizeof(Sums) / sizeof(int32_t);
  static constexpr int32_t offset = 0;
  static constexpr int rows = Words::rows, panels = Words::panels, most_sums = Words::most_sums;

  static SEQ2SEQ_INLINE int64_t row_bytes(int64_t inputs) { return 2 * padded_to_chunks(inputs); }
  static SEQ2SEQ_INLINE void write(const int8_t* __restrict chunk, unsigned char* __restrict row,
                                   int64_t first, int64_t inputs) {
    int16_t even[chunk_width / 2], odd[chunk_width / 2];
    // NOLINTBEGIN(bugprone-signed-char-misuse): these are numbers
    for (int64_t i = 0; i < chunk_width / 2; ++i) {
      even[i] = chunk[2 * i];
      odd[i] = chunk[2 * i + 1];
    }
    // NOLINTEND(bugprone-signed-char-misuse)
    __builtin_memcpy(row + first, even, sizeof even);
    __builtin_memcpy(row + padded_to_chunks(inputs) + first, odd, sizeof odd);
  }
  static SEQ2SEQ_INLINE void read(const int8_t* from, Weights& weights) {
    Words::Vector bytes;
    __builtin_memcpy(&bytes, from, sizeof bytes);
    weights = {Words::even(bytes), Words::odd(bytes)};
  }
  static SEQ2SEQ_INLINE void read(const unsigned char* row, int64_t group, int64_t inputs, Inputs& result) {
    result = {Words::of(four_bytes(row + group * group_width)),
              Words::of(four_bytes(row + padded_to_chunks(inputs) + group * group_width))};
  }
  static SEQ2SEQ_INLINE void add(const Inputs& inputs, const Weights& weights, Sums& sums) {
    sums = Words::sum(sums, Words::products(inputs.even, weights.even));
    sums = Words::sum(sums, Words::products(inputs.odd, weights.odd));
  }
};

#else

/// One number after the other.
struct Arithmetic {
  static constexpr int64_t columns = 16;
  static constexpr int32_t offset = 0;
  static constexpr int rows = 1, panels = 1, most_sums = 1;
  struct Sums {
    int32_t of[columns];
  };
  struct Weights {
    int8_t of[columns * group_width];
  };
  struct Inputs {
    int8_t of[group_width];
  };

  static SEQ2SEQ_INLINE int64_t row_bytes(int64_t inputs) { return padded_to_chunks(inputs); }
  static SEQ2SEQ_INLINE void write(const int8_t* chunk, unsigned char* row, int64_t first,
                                   int64_t /*inputs*/) {
    __builtin_memcpy(row + first, chunk, chunk_width);
  }
  static SEQ2SEQ_INLINE void read(const int8_t* from, Weights& weights) {
    __builtin_memcpy(&weights, from, sizeof weights);
  }
  static SEQ2SEQ_INLINE void read(const unsigned char* row, int64_t group, int64_t /*inputs*/,
                                  Inputs& inputs) {
    __builtin_memcpy(&inputs, row + group * group_width, sizeof inputs);
  }
  static SEQ2SEQ_INLINE void add(const Inputs& inputs, const Weights& weights, Sums& sums) {
    for (int64_t c = 0; c < columns; ++c)
      for (int64_t i = 0; i < group_width; ++i)
        sums.of[c] += int32_t{inputs.of[i]} * int32_t{weights.of[c * group_width + i]};
  }
};

#endif

}  // namespace
}  // namespace seq2seq::kernels
