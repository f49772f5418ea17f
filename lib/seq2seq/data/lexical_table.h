#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace seq2seq {

/// Lexical translation probabilities t(target | source) of tokens by IBM Model 1 (Brown et al. 1993),
/// estimated by expectation maximization.
class LexicalTable {
 public:
  /// `pair(i, source, target)` returns the ids of sentence pair i < `pairs`. Memory grows with the number of
  /// token pairs that occur together.
  LexicalTable(
      uint64_t pairs,
      const std::function<void(uint64_t, std::vector<int64_t>& source, std::vector<int64_t>& target)>& pair,
      int64_t iterations = 5);

  /// For each source id, at most `count` target ids with a probability of at least `least`, most probable
  /// first; none for tokens that did not occur.
  std::vector<std::vector<int64_t>> candidates(int64_t source_vocabulary, int64_t count,
                                               double least = 0) const;
  /// The `count` most frequent target ids, most frequent first.
  std::vector<int64_t> frequent(int64_t count) const;

 private:
  struct Entry {
    int64_t source, target;
    float probability;
  };
  std::vector<Entry> entries_;   // sorted by source, then target
  std::vector<int64_t> counts_;  // by target
};

}  // namespace seq2seq
