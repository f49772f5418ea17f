#pragma once

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// The mean [B, H] of the states of each sentence: x [B, S, H], zero beyond its length. Without a graph it is the same
/// whatever S is, bit for bit.
Tensor mean_state(const Tensor& x, const Tensor& lengths);

}  // namespace seq2seq
