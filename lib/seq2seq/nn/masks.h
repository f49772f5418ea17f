#pragma once

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// 0, 1, 2, ... along time, shaped like `like` [B, T]; `arange(size)` would be baked in by tracing.
Tensor positions_like(const Tensor& like);

/// [B, width] true where the position lies inside the sentence; `lengths` [B] int64. `like` [B, width] gives
/// the shape, so that nothing is baked in when tracing.
Tensor length_mask(const Tensor& lengths, const Tensor& like);

/// Time positions [B, S] that reverse each sentence inside its own length and leave the padding where it is.
Tensor reversed_positions(const Tensor& lengths, const Tensor& like);

/// x [B, S, H] with time reordered by `positions` [B, S].
Tensor reorder_time(const Tensor& x, const Tensor& positions);

/// x [B, S, H] at the last position of each sentence -> [B, H].
Tensor last_state(const Tensor& x, const Tensor& lengths);

}  // namespace seq2seq
