#pragma once

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

// cuBLASLt's matrix products, called directly: it is asked for an algorithm once for each shape, which takes
// ten times as long as the call itself; LibTorch asks at every call. The library is the one that LibTorch has
// loaded. Private to nn.

/// left [M, K] times right [K, N], plus bias [N] if defined -> [M, N] float32; operands on a CUDA device, both
/// float32, rounded to TF32 where LibTorch allows it, or both bfloat16. Operands may be strided. Records no
/// graph. Undefined where cuBLASLt cannot serve: use LibTorch's products.
Tensor cublas_product(const Tensor& left, const Tensor& right, const Tensor& bias = {});

}  // namespace seq2seq
