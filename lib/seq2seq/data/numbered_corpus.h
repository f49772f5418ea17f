#pragma once

#include <cstdint>
#include <unordered_set>
#include <vector>

#include "seq2seq/data/corpus.h"
#include "seq2seq/data/example_cache.h"
#include "seq2seq/data/filter.h"
#include "seq2seq/data/numbered_text.h"

namespace seq2seq {

/// A training corpus as ids. An example is numbered and judged when it is asked for, and kept within a bound
/// of memory, so that a later epoch need not do so again. Thread-safe.
class NumberedCorpus {
 public:
  struct Settings {
    FilterOptions filter;
    TextForm form;
    /// This many examples (chosen by the seed) are left to validation, with all their copies.
    uint64_t held_out = 0;
    uint64_t seed = 1;
    uint64_t cache_bytes = 0;  ///< the bound; 0 = none are kept
  };
  /// All of these outlive it. Reads the corpus once where duplicates are to be found.
  NumberedCorpus(const Corpus& corpus, const TextCodec& source, const TextCodec& target,
                 const Settings& settings);

  /// Throws what reading and tokenizing the pair throws.
  JudgedExample at(uint64_t index);
  /// Memory of the examples that are kept.
  uint64_t cached_bytes() const { return cache_.bytes(); }

 private:
  JudgedExample number(uint64_t index) const;

  const Corpus& corpus_;
  const TextCodec& source_;
  const TextCodec& target_;
  const Settings settings_;
  std::unordered_set<uint64_t> held_out_pairs_;  // by hash, so that every copy of a held-out pair is left out
  std::vector<bool> duplicates_;
  ExampleCache cache_;
};

/// The indices that a NumberedCorpus with the same `held_out` and `seed` leaves to validation.
std::vector<uint64_t> held_out_examples(uint64_t corpus_size, uint64_t held_out, uint64_t seed);

}  // namespace seq2seq
