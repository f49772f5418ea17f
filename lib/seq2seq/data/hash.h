#pragma once

#include <cstdint>
#include <string_view>

namespace seq2seq {

/// FNV-1a over the bytes, then splitmix64's finalizer, so that all 64 bits depend on every byte. The same on
/// every platform. Two of n texts collide with probability about n^2 / 2^65.
inline uint64_t hash_bytes(std::string_view bytes, uint64_t seed = 0xcbf29ce484222325ULL) {
  uint64_t hash = seed;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3ULL;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9ULL;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebULL;
  return hash ^ (hash >> 31);
}

/// The hash of a pair; those of ("ab", "c") and ("a", "bc") differ.
inline uint64_t hash_pair(std::string_view source, std::string_view target) {
  return hash_bytes(target, hash_bytes(source));
}

}  // namespace seq2seq
