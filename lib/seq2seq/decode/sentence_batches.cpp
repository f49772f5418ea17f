#include "seq2seq/decode/sentence_batches.h"

#include <algorithm>
#include <iterator>
#include <numeric>

namespace seq2seq {

std::vector<std::vector<size_t>> sentence_batches(const std::vector<std::vector<int64_t>>& sources,
                                                  int64_t sentences, int64_t tokens) {
  std::vector<size_t> order(sources.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return sources[a].size() > sources[b].size(); });
  std::vector<std::vector<size_t>> batches;
  for (auto begin = order.cbegin(); begin != order.cend();) {
    const int64_t longest = std::ssize(sources[*begin]) + 1,
                  room = std::clamp<int64_t>(tokens / longest, 1, sentences);
    const auto end = begin + std::min<int64_t>(room, order.cend() - begin);
    batches.emplace_back(begin, end);
    begin = end;
  }
  return batches;
}

}  // namespace seq2seq
