#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "seq2seq/data/example.h"
#include "seq2seq/data/filter.h"

namespace seq2seq {

/// An example of the corpus, and what the filter says of it. One that is left out has no ids.
struct JudgedExample {
  FilterVerdict verdict = FilterVerdict::keep;
  Example example;
};

/// Keeps examples in memory up to a bound, first come, first kept: which of them does not matter, since an
/// epoch asks for each once. An id takes 4 bytes, an example 20 more; one that is left out takes 8 in all.
/// Thread-safe.
class ExampleCache {
 public:
  /// Of the examples 0..corpus_size-1. At most a quarter of `bytes` goes to their places, which are taken at
  /// once; where that is too little, those at the end of the corpus have none. With 0 bytes it keeps nothing.
  ExampleCache(uint64_t corpus_size, uint64_t bytes);

  /// Nothing where it has not been kept.
  std::optional<JudgedExample> find(uint64_t index) const;
  /// Does nothing where the bound leaves no room.
  void keep(const JudgedExample& judged);
  /// The memory that is in use: at most the bound.
  uint64_t bytes() const;

 private:
  // Verdict, length of the source, length of the target; then their ids.
  using Record = const uint32_t*;
  uint32_t* room_for(uint64_t words);

  uint64_t limit_, places_;
  std::unique_ptr<std::atomic<Record>[]> records_;  // by index; null where nothing has been kept
  mutable std::mutex mutex_;                        // of all below
  std::vector<std::unique_ptr<uint32_t[]>> blocks_;
  uint32_t* free_ = nullptr;  // in the last block
  uint64_t free_words_ = 0, bytes_;
};

}  // namespace seq2seq
