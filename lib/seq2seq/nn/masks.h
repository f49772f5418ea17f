#pragma once

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// 0, 1, 2, ... along time, shaped like `like` [B, T]; `arange(size)` would become a constant when traced.
Tensor positions_like(const Tensor& like);

/// [B, width] bool, true at positions inside the sentence; `lengths` [B] int64. Only the shape of `like`
/// [B, width] is used, so that no size becomes a constant when traced.
Tensor length_mask(const Tensor& lengths, const Tensor& like);

/// Time positions [B, S] that reverse each sentence within its own length and leave the padding in place.
Tensor reversed_positions(const Tensor& lengths, const Tensor& like);

/// x [B, S, H] with time reordered by `positions` [B, S].
Tensor reorder_time(const Tensor& x, const Tensor& positions);

/// The same for positions of which twice is the order as it was (reversed_positions). Its gradient sums
/// nothing up, which on CUDA devices takes atomic additions, or sorting to have the same bits each time.
Tensor reverse_time(const Tensor& x, const Tensor& positions);

/// x [B, S, H] at the last position of each sentence -> [B, H].
Tensor last_state(const Tensor& x, const Tensor& lengths);

}  // namespace seq2seq
