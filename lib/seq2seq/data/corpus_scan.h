#pragma once

// Private to corpus_check: one pass over a corpus that counts every fault instead of stopping at the first.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "seq2seq/data/corpus.h"

namespace seq2seq {

/// How often something was found, and the first places.
struct Occurrences {
  uint64_t count = 0;
  std::vector<std::string> places;  ///< at most three
  std::string detail;               ///< of the first
  void add(const std::string& place, const std::string& what = {});
};

struct SideScan {
  uint64_t lines = 0, bytes = 0, words = 0;
  std::map<uint64_t, uint64_t> lengths;                ///< words per line -> lines, without empty ones
  std::unordered_map<uint64_t, uint64_t> word_counts;  ///< by hash
  Occurrences empty;
  bool first_has_return = false;  ///< a carriage return inside the first line
  /// The smallest length that `share` of the lines do not exceed; 0 when there are none.
  uint64_t length_quantile(double share) const;
};

struct CorpusScan {
  std::array<SideScan, 2> sides;                ///< source, target
  std::unordered_set<uint64_t> pairs, sources;  ///< by hash
  uint64_t usable = 0;                          ///< pairs that are neither faulty nor empty nor too long
  uint64_t usable_target_words = 0;
  Occurrences unreadable, invalid_utf8, line_too_long, malformed;  ///< faults that training refuses
  std::string unreadable_remedy;
  Occurrences unequal_counts;
  Occurrences empty_pairs, over_length, unlike_lengths, duplicates;
  Occurrences seen_pairs, seen_sources;  ///< also in the corpus `seen`
};

constexpr double unlike_ratio = 4.0;

/// Counts tokens of the word tokenizer. `maximum_length` as in FilterOptions; `seen`: an earlier scan whose
/// pairs and sources are looked for, or null.
CorpusScan scan_corpus(const CorpusFiles& files, uint64_t maximum_length, const CorpusScan* seen);

/// The share of the words of `text` that are not among the `size` most frequent of `vocabulary` (0 = all).
double unknown_share(const SideScan& text, const SideScan& vocabulary, size_t size);

}  // namespace seq2seq
