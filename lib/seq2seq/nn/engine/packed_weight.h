#pragma once

#include <span>

#include "seq2seq/nn/engine/step_kernels.h"
#include "seq2seq/nn/shapes.h"

namespace seq2seq {

std::span<const char* const> option_names(WeightFormat);

/// A weight [O, I] in int8: row o is scales[o] times the integers values[o], within +-127.
struct QuantizedWeight {
  Tensor values, scales;  ///< [O, I] int8, [O] float32; contiguous, on the CPU
};

/// Of a float32 weight [O, I] on the CPU: each integer is the nearest one, of two the even one. A row of zeros has the scale
/// 0, a row with something that is not finite one that is not a number.
QuantizedWeight quantize(const Tensor& weight);

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

/// Packs a float32 weight [O, I] on the CPU. If it lies in a mapped file, the memory of its pages is given back.
PackedWeight pack(const Tensor& weight, WeightFormat format);
/// Packs the integers as they are.
PackedWeight pack(const QuantizedWeight& weight);

}  // namespace seq2seq
