#include "seq2seq/text/word_sample.h"

#include <algorithm>
#include <vector>

namespace seq2seq {
namespace {

// Sampling must not depend on the order of a hash table.
std::vector<std::string> sorted_words(const std::unordered_map<std::string, int64_t>& counts) {
  std::vector<std::string> words;
  words.reserve(counts.size());
  for (const auto& [word, count] : counts) words.push_back(word);
  std::sort(words.begin(), words.end());
  return words;
}

// SentencePiece's trainer fails on words of some 100 kB, such as encoded files without a space: split them.
constexpr size_t longest_word = 4096;

// Bytes of the first part of `word`, which ends between two characters.
size_t part_length(std::string_view word) {
  if (word.size() <= longest_word) return word.size();
  size_t length = longest_word;
  while (length > 1 && (word[length] & '\xC0') == '\x80') --length;
  return length;
}

}  // namespace

void WordSample::add(std::string_view line) {
  constexpr std::string_view white = " \t\r\n";
  for (size_t at = line.find_first_not_of(white); at < line.size(); at = line.find_first_not_of(white, at)) {
    const size_t end = std::min(line.find_first_of(white, at), line.size());
    for (size_t length; at < end; at += length) {
      length = part_length(line.substr(at, end - at));
      add_word(line.substr(at, length));
    }
  }
}

void WordSample::add_word(std::string_view word) {
  std::string key(word);
  if (const auto found = counts_.find(key); found != counts_.end()) {
    ++found->second;
    return;
  }
  if (probability_ < 1 && random_.uniform() >= probability_) return;
  bytes_ += key.size();
  counts_.emplace(std::move(key), 1);
  while (bytes_ > capacity_) thin();
}

// The occurrence that a word entered with stays in every second case. Each one behind it was counted because
// the word was there; without it, it would enter like any other.
void WordSample::thin() {
  probability_ /= 2;
  for (const auto& word : sorted_words(counts_)) {
    int64_t& count = counts_.at(word);
    double lost = 0.5;
    while (count > 0 && random_.uniform() < lost) {
      --count;
      lost = 1 - probability_;
    }
    if (count > 0) continue;
    counts_.erase(word);
    bytes_ -= word.size();
  }
}

std::vector<std::pair<std::string, int64_t>> WordSample::take(int64_t occurrences) const {
  int64_t total = 0;
  for (const auto& [word, count] : counts_) total += count;
  const double share =
      total <= occurrences ? 1 : static_cast<double>(occurrences) / static_cast<double>(total);
  Random random = random_;
  std::vector<std::pair<std::string, int64_t>> result;
  for (auto& word : sorted_words(counts_)) {
    int64_t count = counts_.at(word);
    if (share < 1) count = static_cast<int64_t>(static_cast<double>(count) * share + random.uniform());
    if (count > 0) result.emplace_back(std::move(word), count);
  }
  return result;
}

}  // namespace seq2seq
