#pragma once

#include "seq2seq/nn/engine/step_kernels.h"
#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// The function of each element of x. Without a graph each element of the result depends on its own element alone, bit for
/// bit, which does not hold for LibTorch's vectorized loops and what they leave over.
Tensor nonlinear(Nonlinearity function, const Tensor& x);

}  // namespace seq2seq
