#include "seq2seq/nn/positions.h"

#include <ATen/ATen.h>

#include <cmath>

namespace seq2seq {
namespace {

// Angles [..., width / 2] of positions [...], in double: float would lose precision at large positions.
Tensor angles(const Tensor& positions, int64_t width) {
  const Tensor pair = at::arange(width / 2, positions.options().dtype(at::kDouble));
  const Tensor frequency = (pair * (-2.0 * std::log(10000.0) / static_cast<double>(width))).exp();
  return positions.unsqueeze(-1).to(at::kDouble) * frequency;
}

}  // namespace

Tensor sinusoidal_positions(const Tensor& positions, int64_t width, const Tensor& like) {
  const Tensor angle = angles(positions, width);
  return at::stack({angle.sin(), angle.cos()}, -1).flatten(-2).to(like.scalar_type());
}

Rotation rotation(const Tensor& positions, int64_t width, const Tensor& like) {
  const Tensor angle = angles(positions, width).unsqueeze(1);  // [N, 1, T, d/2]
  return {angle.cos().to(like.scalar_type()), angle.sin().to(like.scalar_type())};
}

Tensor rotated(const Tensor& x, const Rotation& rotation) {
  const auto halves = x.chunk(2, -1);
  return at::cat({halves[0] * rotation.cosines - halves[1] * rotation.sines,
                  halves[1] * rotation.cosines + halves[0] * rotation.sines},
                 -1);
}

}  // namespace seq2seq
