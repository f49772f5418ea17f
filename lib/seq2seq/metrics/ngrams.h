#pragma once

// Private to the metrics.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace seq2seq {

using Symbols = std::vector<uint32_t>;

/// Counts of the n-grams of one order: rows[sequence][column], one column per distinct n-gram.
struct NgramCounts {
  std::vector<std::vector<uint32_t>> rows;
};

/// Counts for orders 1 to `maximum_order`. Exact: n-grams are not hashed.
std::vector<NgramCounts> count_ngrams(const std::vector<Symbols>& sequences, size_t maximum_order);

/// The number of n-grams in a row, and of those that two rows share (the smaller count of each).
int64_t total_count(const std::vector<uint32_t>& row);
int64_t shared_count(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b);

/// Maps words to ids, equal words to equal ids. The words must outlive the table.
template <class View>
class SymbolTable {
 public:
  Symbols number(const std::vector<View>& words) {
    Symbols symbols;
    symbols.reserve(words.size());
    for (const View& word : words)
      symbols.push_back(numbers_.try_emplace(word, static_cast<uint32_t>(numbers_.size())).first->second);
    return symbols;
  }

 private:
  std::unordered_map<View, uint32_t> numbers_;
};

}  // namespace seq2seq
