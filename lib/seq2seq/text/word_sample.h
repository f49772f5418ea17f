#pragma once

// Private to the library: the words that a subword model is trained on.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "seq2seq/core/random.h"

namespace seq2seq {

/// The words of a text (separated by white space) and their counts, in bounded memory. While the distinct
/// words fit into `capacity` bytes, the counts are exact and the seed has no effect. Beyond that it samples
/// and holds (Estan and Varghese 2002): an occurrence of a word not in the table enters it with a probability
/// that is halved whenever the table is full; then the counts are thinned at random, as if that had been the
/// probability from the beginning (Gibbons and Matias 1998). Frequent words survive.
class WordSample {
 public:
  static constexpr size_t default_capacity = size_t{32} << 20;
  explicit WordSample(uint64_t seed, size_t capacity = default_capacity)
      : random_(mix_seed({seed, 0x776f7264})), capacity_(capacity) {}

  void add(std::string_view line);
  bool empty() const { return counts_.empty(); }
  const std::unordered_map<std::string, int64_t>& counts() const { return counts_; }
  /// The words with their counts, in alphabetical order. If the counts sum to more than `occurrences`, they
  /// are scaled down and randomly rounded.
  std::vector<std::pair<std::string, int64_t>> take(int64_t occurrences) const;

 private:
  void add_word(std::string_view word);
  void thin();

  Random random_;
  size_t capacity_, bytes_ = 0;
  double probability_ = 1;
  std::unordered_map<std::string, int64_t> counts_;
};

}  // namespace seq2seq
