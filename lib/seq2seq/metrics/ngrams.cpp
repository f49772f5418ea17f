#include "seq2seq/metrics/ngrams.h"

#include <algorithm>
#include <numeric>

namespace seq2seq {
namespace {

struct Place {
  uint64_t key;
  uint32_t sequence, position;
};

/// Replaces keys by dense ranks, written to ranks[sequence][position], and counts them.
NgramCounts rank_places(std::vector<Place>& places, std::vector<Symbols>& ranks) {
  std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) { return a.key < b.key; });
  uint32_t columns = 0;
  for (size_t i = 0; i < places.size(); ++i) {
    if (i == 0 || places[i].key != places[i - 1].key) ++columns;
    ranks[places[i].sequence][places[i].position] = columns - 1;
  }
  NgramCounts counts;
  counts.rows.assign(ranks.size(), std::vector<uint32_t>(columns, 0));
  for (const Place& place : places) ++counts.rows[place.sequence][ranks[place.sequence][place.position]];
  return counts;
}

}  // namespace

std::vector<NgramCounts> count_ngrams(const std::vector<Symbols>& sequences, size_t maximum_order) {
  std::vector<NgramCounts> result;
  std::vector<Symbols> ranks = sequences, first;
  std::vector<Place> places;
  for (size_t order = 1; order <= maximum_order; ++order) {
    places.clear();
    for (uint32_t s = 0; s < sequences.size(); ++s)
      for (uint32_t i = 0; i + order <= sequences[s].size(); ++i) {
        // An n-gram is the rank of its first n-1 words and that of its last word.
        const uint64_t key =
            order == 1 ? sequences[s][i] : (uint64_t{ranks[s][i]} << 32) | first[s][i + order - 1];
        places.push_back({key, s, i});
      }
    result.push_back(rank_places(places, ranks));
    if (order == 1) first = ranks;
  }
  return result;
}

int64_t total_count(const std::vector<uint32_t>& row) {
  return std::accumulate(row.begin(), row.end(), int64_t{0});
}

int64_t shared_count(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) {
  int64_t shared = 0;
  for (size_t i = 0; i < a.size(); ++i) shared += std::min(a[i], b[i]);
  return shared;
}

}  // namespace seq2seq
