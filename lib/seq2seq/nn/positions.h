#pragma once

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

// Position information for Transformers, whose attention ignores the order of tokens. Positions are int64,
// start at 0 and have no upper limit.

/// Sinusoidal encoding (Vaswani et al. 2017, section 3.5): positions [...] -> [..., width] typed like `like`,
/// sin(p / 10000^(2i/width)) in column 2i and the cosine of the same angle in column 2i + 1. `width` is even.
Tensor sinusoidal_positions(const Tensor& positions, int64_t width, const Tensor& like);

/// Cosines and sines of the angles of rotary position embedding (Su et al. 2021).
struct Rotation {
  Tensor cosines, sines;  ///< [N or 1, 1, T, d/2]
};
/// positions [N or 1, T], heads of width d = `width`.
Rotation rotation(const Tensor& positions, int64_t width, const Tensor& like);

/// x [N, heads, T, d]: rotates each pair of element i of a head's first half and element i of its second half
/// by the angle p / 10000^(2i/d), so that the product of a query and a key depends on their distance alone.
Tensor rotated(const Tensor& x, const Rotation& rotation);

}  // namespace seq2seq
