#pragma once

// Dense products without a graph: the one place that chooses between oneDNN and LibTorch's plain route, and
// between float32 and bfloat16.

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// x [..., I] times weight [O, I] transposed, plus bias [O] when defined -> [..., O]. Both may be strided,
/// and either may have passed through `product_operand`.
Tensor product(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

/// dy [R, O] and x [R, I] -> dy^T x [O, I].
Tensor weight_gradient(const Tensor& dy, const Tensor& x);

/// `x` in the number format that products compute in now: for what several of them use.
Tensor product_operand(const Tensor& x);

/// Whether products in bfloat16 save time here, by a measurement of some milliseconds.
bool bfloat16_products_are_faster();

}  // namespace seq2seq
