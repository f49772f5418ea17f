#include "seq2seq/data/lexical_table.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

namespace seq2seq {
namespace {

constexpr int64_t nothing = -1;  // the NULL word of IBM models, source of target words without one

uint64_t key(int64_t source, int64_t target) {
  return static_cast<uint64_t>(source + 1) << 32 | static_cast<uint64_t>(target);
}

}  // namespace

LexicalTable::LexicalTable(
    uint64_t pairs, const std::function<void(uint64_t, std::vector<int64_t>&, std::vector<int64_t>&)>& pair,
    int64_t iterations) {
  std::unordered_map<uint64_t, float> table;  // t(target | source); uniform in the first pass
  std::vector<int64_t> source, target;
  for (int64_t pass = 0; pass < iterations; ++pass) {
    std::unordered_map<uint64_t, float> counts;
    counts.reserve(table.size());
    std::unordered_map<int64_t, double> totals;
    for (uint64_t i = 0; i < pairs; ++i) {
      pair(i, source, target);
      source.push_back(nothing);
      for (const int64_t word : target) {
        if (pass == 0) {
          if (std::ssize(counts_) <= word) counts_.resize(static_cast<size_t>(word) + 1);
          ++counts_[static_cast<size_t>(word)];
        }
        double sum = 0;
        const auto likely = [&](int64_t from) { return pass == 0 ? 1.0F : table.at(key(from, word)); };
        for (const int64_t from : source) sum += likely(from);
        for (const int64_t from : source) {
          const double share = likely(from) / sum;
          counts[key(from, word)] += static_cast<float>(share);
          totals[from] += share;
        }
      }
    }
    for (auto& [which, count] : counts)
      count /= static_cast<float>(totals.at(static_cast<int64_t>(which >> 32) - 1));
    table = std::move(counts);
  }
  for (const auto& [which, probability] : table)
    if (which >> 32 != 0)
      entries_.push_back(
          {static_cast<int64_t>(which >> 32) - 1, static_cast<int64_t>(which & 0xffffffffU), probability});
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return a.source != b.source ? a.source < b.source : a.target < b.target;
  });
}

std::vector<std::vector<int64_t>> LexicalTable::candidates(int64_t source_vocabulary, int64_t count,
                                                           double least) const {
  std::vector<std::vector<int64_t>> result(static_cast<size_t>(source_vocabulary));
  for (auto begin = entries_.begin(); begin != entries_.end();) {
    const auto end =
        std::find_if(begin, entries_.end(), [&](const Entry& e) { return e.source != begin->source; });
    std::vector<Entry> own(begin, end);
    std::stable_sort(own.begin(), own.end(),
                     [](const Entry& a, const Entry& b) { return a.probability > b.probability; });
    if (std::ssize(own) > count) own.resize(static_cast<size_t>(count));
    for (const Entry& entry : own)
      if (entry.probability >= least) result.at(static_cast<size_t>(entry.source)).push_back(entry.target);
    begin = end;
  }
  return result;
}

std::vector<int64_t> LexicalTable::frequent(int64_t count) const {
  std::vector<int64_t> words(counts_.size());
  std::iota(words.begin(), words.end(), int64_t{0});
  std::stable_sort(words.begin(), words.end(), [&](int64_t a, int64_t b) {
    return counts_[static_cast<size_t>(a)] > counts_[static_cast<size_t>(b)];
  });
  if (std::ssize(words) > count) words.resize(static_cast<size_t>(count));
  std::erase_if(words, [&](int64_t word) { return counts_[static_cast<size_t>(word)] == 0; });
  return words;
}

}  // namespace seq2seq
