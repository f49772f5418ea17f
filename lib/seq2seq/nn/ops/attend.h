#pragma once

#include <utility>

#include "seq2seq/nn/ops/dropout.h"

namespace seq2seq {

// Multi-head scaled dot-product attention (Vaswani et al. 2017, section 3.2): softmax(Q K^T / sqrt(d)) V for
// each of several heads of width d.

/// What is looked at, split into heads.
struct HeadMemory {
  Tensor keys, values;  ///< [B, heads, S, d]
};

/// Which positions a query may look at: all that `mask` [B, S] allows (undefined = all), and with `causal`
/// those up to its own (as many queries as keys).
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

/// queries [B, heads, Q, d] -> [B, Q, heads * d]. Every query must see
/// something. No second derivatives.
Tensor attend(const Tensor& queries, const HeadMemory& memory, const Visible& visible,
              const WeightDropout& dropout = {});
/// The same, and the weights [B, heads, Q, S] before dropout.
std::pair<Tensor, Tensor> attend_with_weights(const Tensor& queries, const HeadMemory& memory,
                                              const Visible& visible, const WeightDropout& dropout = {});

}  // namespace seq2seq
