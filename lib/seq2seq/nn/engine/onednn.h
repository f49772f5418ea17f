#pragma once

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

// oneDNN's matrix products, called through LibTorch's internal operator. Whether they work on this machine:
// capabilities.h. Private to nn.

/// Whether this LibTorch has the operator.
bool onednn_offers_products();

/// x [..., I] times weight [O, I] transposed, plus bias [O] if defined -> [..., O]; float32 or bfloat16.
/// Operands may be strided. Records no graph.
Tensor onednn_product(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

}  // namespace seq2seq
