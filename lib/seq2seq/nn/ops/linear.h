#pragma once

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// x [..., I] times weight [O, I] transposed, plus bias [O] when defined -> [..., O].
///
/// float32 on a CPU goes through oneDNN where that works, which is as fast as MKL on Intel processors and 2
/// to 2.5 times as fast on AMD ones (`seq2seq bench gemm`); everything else, and tracing, through at::linear.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

}  // namespace seq2seq
