#include "seq2seq/core/random.h"

namespace seq2seq {

uint64_t Random::next() {
  state_ += 0x9e3779b97f4a7c15ULL;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

uint64_t Random::below(uint64_t bound) {
  // Rejects the incomplete last block, so that every value is equally likely.
  const uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  uint64_t value = next();
  while (value >= limit) value = next();
  return value % bound;
}

uint64_t mix_seed(std::initializer_list<uint64_t> parts) {
  uint64_t seed = 0x243f6a8885a308d3ULL;
  for (const uint64_t part : parts) seed = Random(seed ^ Random(part).next()).next();
  return seed;
}

}  // namespace seq2seq
