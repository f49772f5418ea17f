#pragma once

#include <utility>

#include "seq2seq/nn/ops/dropout.h"

namespace seq2seq {

// Multi-head scaled dot-product attention (Vaswani et al. 2017, section 3.2): softmax(Q K^T / sqrt(d)) V in
// each of several heads of width d.

/// Keys and values of the attended positions, split into heads.
struct HeadMemory {
  Tensor keys, values;  ///< [B, heads, S, d]
};

/// The positions that a query may attend to: those where `mask` [B, S] is true (undefined = all) and, if
/// `causal`, up to its own position (as many queries as keys).
struct Visible {
  Tensor mask = {};
  bool causal = false;
};

/// Dropout on attention weights.
struct WeightDropout {
  double p = 0;
  Noise* noise = nullptr;  ///< null = none
  bool active() const { return p > 0 && noise != nullptr; }
};

/// queries [B, heads, Q, d] -> context [B, Q, heads * d]. Every query must have a position to attend to.
/// No second derivatives.
Tensor attend(const Tensor& queries, const HeadMemory& memory, const Visible& visible,
              const WeightDropout& dropout = {});
/// The same, and the weights [B, heads, Q, S] before dropout.
std::pair<Tensor, Tensor> attend_with_weights(const Tensor& queries, const HeadMemory& memory,
                                              const Visible& visible, const WeightDropout& dropout = {});

}  // namespace seq2seq
