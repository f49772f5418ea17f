#include "seq2seq/nn/dropout.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "seq2seq/core/random.h"

namespace seq2seq {
namespace {

// A 32-bit finalizer (Wellons' lowbias32): good enough for masks, and plain loops over it vectorize.
inline uint32_t scramble(uint32_t x) {
  x ^= x >> 16;
  x *= 0x21f0aaadU;
  x ^= x >> 15;
  x *= 0x735a2d97U;
  return x ^ (x >> 15);
}

// Element i of draw `seed`, a number below 2^24.
inline uint32_t draw(uint32_t low, uint32_t high, uint32_t i) {
  return scramble(scramble(i ^ low) + high) >> 8;
}

template <class Write>
void for_elements(int64_t count, Write write) {
  at::parallel_for(0, count, int64_t{1} << 15, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) write(i);
  });
}

}  // namespace

Tensor Noise::uniform(const Tensor& like) {
  const uint64_t seed = mix_seed({seed_, drawn_++});
  const auto low = static_cast<uint32_t>(seed), high = static_cast<uint32_t>(seed >> 32);
  Tensor result = at::empty(like.sizes(), at::TensorOptions().dtype(at::kFloat));
  float* out = result.data_ptr<float>();
  for_elements(result.numel(), [=](int64_t i) {
    out[i] = static_cast<float>(draw(low, high, static_cast<uint32_t>(i))) * 0x1.0p-24F;
  });
  return result.to(like.device());
}

Tensor Noise::mask(const Tensor& like, double p) {
  const uint64_t seed = mix_seed({seed_, drawn_++});
  const auto low = static_cast<uint32_t>(seed), high = static_cast<uint32_t>(seed >> 32);
  const auto threshold = static_cast<uint32_t>(p * 0x1.0p24);
  const auto scale = static_cast<float>(1.0 / (1.0 - p));
  Tensor result = at::empty(like.sizes(), at::TensorOptions().dtype(at::kFloat));
  float* out = result.data_ptr<float>();
  for_elements(result.numel(), [=](int64_t i) {
    out[i] = draw(low, high, static_cast<uint32_t>(i)) < threshold ? 0.0F : scale;
  });
  return result.to(like.options());
}

Tensor dropout(const Tensor& x, double p, Noise* noise) {
  return noise == nullptr || p <= 0 ? x : x * noise->mask(x, p);
}

Tensor word_dropout(const Tensor& ids, const Tensor& keep, int64_t replacement, double p, Noise* noise) {
  if (noise == nullptr || p <= 0) return ids;
  return ids.masked_fill((noise->uniform(ids) < p).logical_and(keep.logical_not()), replacement);
}

}  // namespace seq2seq
