#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace seq2seq {

/// Which target words a source word is likely to become: t(target | source) of IBM Model 1 (Brown et al.
/// 1993), by expectation maximization over sentence pairs without their order.
class LexicalTable {
 public:
  /// `pair(i, source, target)` fills in the ids of pair i, of `pairs`. Memory grows with the word pairs that
  /// occur together.
  LexicalTable(
      uint64_t pairs,
      const std::function<void(uint64_t, std::vector<int64_t>& source, std::vector<int64_t>& target)>& pair,
      int64_t iterations = 5);

  /// At most `count` target words of each source word, none less likely than `least`, likeliest first, in the
  /// order of the source ids; empty for words that did not occur.
  std::vector<std::vector<int64_t>> candidates(int64_t source_vocabulary, int64_t count,
                                               double least = 0) const;
  /// The `count` most frequent target words, most frequent first.
  std::vector<int64_t> frequent(int64_t count) const;

 private:
  struct Entry {
    int64_t source, target;
    float probability;
  };
  std::vector<Entry> entries_;   // by source, then target
  std::vector<int64_t> counts_;  // by target
};

}  // namespace seq2seq
