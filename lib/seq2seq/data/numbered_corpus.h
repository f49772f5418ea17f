#pragma once

#include <cstdint>
#include <unordered_set>
#include <vector>

#include "seq2seq/data/corpus.h"
#include "seq2seq/data/example_cache.h"
#include "seq2seq/data/filter.h"
#include "seq2seq/data/numbered_text.h"

namespace seq2seq {

/// Numbers pairs and judges them by their lengths. The codecs outlive it.
struct PairNumbering {
  const TextCodec& source;
  const TextCodec& target;
  FilterOptions filter;
  TextForm form;
  /// `index`: of `raw` in its corpus.
  JudgedExample operator()(uint64_t index, const RawExample& raw) const;
};

/// A training corpus as ids. An example is numbered and judged when it is asked for, and kept within a bound
/// of memory, so that a later epoch need not do so again. Thread-safe.
class NumberedCorpus {
 public:
  struct Settings {
    FilterOptions filter;
    TextForm form;
    std::vector<uint64_t> held_out;  ///< ascending; these are not trained on, nor are their copies
    uint64_t cache_bytes = 0;        ///< the bound; 0 = none are kept
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
  const PairNumbering numbering_;
  const std::vector<uint64_t> held_out_;         // ascending
  std::unordered_set<uint64_t> held_out_pairs_;  // by hash, so that every copy of a held-out pair is left out
  std::vector<bool> duplicates_;
  ExampleCache cache_;
};

}  // namespace seq2seq
