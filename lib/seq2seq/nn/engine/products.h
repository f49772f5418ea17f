#pragma once

// Dense matrix products: the one place that chooses between oneDNN and LibTorch's own products, and between
// float32 and bfloat16. Only at::linear records a graph.

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// x [..., I] times weight [O, I] transposed, plus bias [O] if defined -> [..., O]. Both may be strided, and
/// either may have passed through `product_operand`.
Tensor product(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

/// dy [R, O] and x [R, I] -> dy^T x [O, I].
Tensor weight_gradient(const Tensor& dy, const Tensor& x);

/// `x` converted to the active product format, for operands that several products share.
Tensor product_operand(const Tensor& x);

/// Whether products in bfloat16 are faster on this CPU, by a measurement of a few milliseconds.
bool bfloat16_products_are_faster();

}  // namespace seq2seq
