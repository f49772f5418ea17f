#pragma once

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

// How a Transformer, which has no order of its own, learns where a word stands. Positions are int64 and start
// at 0; nothing limits them.

/// Sines and cosines of growing wavelength (Vaswani et al. 2017, section 3.5): positions [...] -> [...,
/// width] typed like `like`, sin(p / 10000^(2i/width)) in column 2i and its cosine in column 2i + 1. `width`
/// even.
Tensor sinusoidal_positions(const Tensor& positions, int64_t width, const Tensor& like);

/// The angles by which rotary embedding turns queries and keys (Su et al. 2021).
struct Rotation {
  Tensor cosines, sines;  ///< [N or 1, 1, T, d/2]
};
/// positions [N or 1, T], heads of `width` d.
Rotation rotation(const Tensor& positions, int64_t width, const Tensor& like);

/// x [N, heads, T, d]: element i of a head's first half and element i of its second turn together by the
/// angle p / 10000^(2i/d), so that the product of a query and a key depends on their distance alone.
Tensor rotated(const Tensor& x, const Rotation& rotation);

}  // namespace seq2seq
