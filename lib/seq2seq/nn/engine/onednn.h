#pragma once

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

// oneDNN's products as LibTorch offers them to itself. Whether they work on this machine: capabilities.h.
// Private to nn.

/// Whether this LibTorch has the operators.
bool onednn_offers_products();
bool onednn_offers_packing();

/// x [..., I] times weight [O, I] transposed, plus bias [O] when defined -> [..., O]; float32 or bfloat16,
/// strided operands allowed, the weight also packed. No graph.
Tensor onednn_product(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

/// A copy of weight [O, I], float32, in the layout that suits products with few rows.
Tensor onednn_packed(const Tensor& weight);

}  // namespace seq2seq
