#pragma once

#include <optional>

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

// Operands that may be undefined.

inline std::optional<Tensor> if_defined(const Tensor& tensor) {
  return tensor.defined() ? std::optional(tensor) : std::nullopt;
}
inline Tensor contiguous_if_defined(const Tensor& tensor) {
  return tensor.defined() ? tensor.contiguous() : tensor;
}

}  // namespace seq2seq
