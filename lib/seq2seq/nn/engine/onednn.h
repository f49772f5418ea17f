#pragma once

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

// oneDNN's matrix products, called through LibTorch's internal operators. Whether they work on this machine:
// capabilities.h. Private to nn.

/// Whether this LibTorch has the operators.
bool onednn_offers_products();
bool onednn_offers_packing();

/// x [..., I] times weight [O, I] transposed, plus bias [O] if defined -> [..., O]; float32 or bfloat16.
/// Operands may be strided, the weight also packed. Records no graph.
Tensor onednn_product(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

/// A copy of weight [O, I], float32, in the memory layout for products with few rows.
Tensor onednn_packed(const Tensor& weight);

}  // namespace seq2seq
