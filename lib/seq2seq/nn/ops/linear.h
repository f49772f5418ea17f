#pragma once

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// x [..., I] times weight [O, I] transposed, plus bias [O] if defined -> [..., O].
///
/// float32 on a CPU uses oneDNN where it works, which is as fast as MKL on Intel processors and 2 to 2.5
/// times as fast on AMD processors (`seq2seq bench gemm`). Other types and devices, plain kernels and
/// tracing use at::linear.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

}  // namespace seq2seq
