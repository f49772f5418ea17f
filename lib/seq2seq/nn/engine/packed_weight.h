#pragma once

#include <span>

#include "seq2seq/nn/engine/step_kernels.h"
#include "seq2seq/nn/shapes.h"

namespace seq2seq {

std::span<const char* const> option_names(WeightFormat);

/// A weight [O, I] in fewer bits than float32, by rows: bfloat16, or int8, of which row o is scales[o] times the integers
/// values[o], within +-127. Contiguous, on the CPU.
struct QuantizedWeight {
  Tensor values;       ///< [O, I] int8 or bfloat16
  Tensor scales = {};  ///< [O] float32, of int8 alone

  WeightFormat format() const { return scales.defined() ? WeightFormat::int8 : WeightFormat::bfloat16; }
  /// All rows in float32 [O, I], by operations on tensors that can be traced.
  Tensor dequantized() const;
  /// The rows `ids`, of any shape, in float32: [..., I]. Can be traced as well.
  Tensor rows(const Tensor& ids) const;
  /// The rows `ids` [N] as they are.
  QuantizedWeight select(const Tensor& ids) const;
  /// Writes the I numbers of a row, the same as in `rows`.
  void copy_row(int64_t row, float* to) const;
};

/// Of a float32 weight [O, I] on the CPU, to int8 or bfloat16: the nearest numbers, of two the even one. A row of zeros has
/// the scale 0, a row with something that is not finite one that is not a number. If the weight lies in a mapped file, the
/// memory of its pages is given back.
QuantizedWeight quantize(const Tensor& weight, WeightFormat format = WeightFormat::int8);

/// A weight [O, I] in the layout of WeightPanels.
struct PackedWeight {
  static constexpr int64_t panel_width = 16;       ///< columns of a panel
  static constexpr int64_t most_inputs = 1 << 16;  ///< in int8, so that no sum of integers overflows

  WeightFormat format = WeightFormat::float32;
  Tensor values;                  ///< float32, bfloat16 or int8
  Tensor scales = {}, sums = {};  ///< of int8: float32 and int32

  /// Valid while this or a copy of it lives.
  WeightPanels panels() const;
};

/// The format in which a weight [O, I] is kept where `wanted` is the format of its model: float32 if it has fewer than 16 rows or
/// columns, of which little is gained (copy gates), or for int8 more than `most_inputs`.
WeightFormat format_of(const Tensor& weight, WeightFormat wanted);

/// Packs a float32 weight [O, I] on the CPU, rounded first if need be. If it lies in a mapped file, the memory of its pages
/// is given back.
PackedWeight pack(const Tensor& weight, WeightFormat format);
/// Packs the numbers as they are; pages are given back in the same way.
PackedWeight pack(const QuantizedWeight& weight);

}  // namespace seq2seq
