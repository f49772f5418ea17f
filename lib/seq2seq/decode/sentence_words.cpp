#include "seq2seq/decode/sentence_words.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace seq2seq {

SentenceWords::SentenceWords(std::vector<std::vector<int64_t>> words, int64_t vocabulary,
                             const at::Device& device)
    : words_(std::move(words)), vocabulary_(vocabulary) {
  const int64_t columns = padded_columns(most());
  std::vector<int64_t> all;
  for (const auto& own : words_) {
    all.insert(all.end(), own.begin(), own.end());
    all.insert(all.end(), static_cast<size_t>(columns - std::ssize(own)), -1);
  }
  ids_ = at::tensor(all, at::kLong).view({std::ssize(words_), columns}).to(device);
}

int64_t SentenceWords::most() const {
  size_t count = 0;
  for (const auto& own : words_) count = std::max(count, own.size());
  return static_cast<int64_t>(count);
}

int64_t SentenceWords::index_of(int64_t token, size_t sentence) const {
  if (token >= vocabulary_) return token - vocabulary_ + width();
  const auto& own = words_[sentence];
  const auto found = std::lower_bound(own.begin(), own.end(), token);
  return found == own.end() || *found != token ? -1 : found - own.begin();
}

Tensor SentenceWords::indices(const Tensor& slots) const {
  const Tensor result = slots.to(at::kCPU).clone(at::MemoryFormat::Contiguous);
  int64_t* slot = result.mutable_data_ptr<int64_t>();
  for (size_t sentence = 0; sentence < words_.size(); ++sentence)
    for (int64_t s = 0; s < result.size(1); ++s, ++slot) *slot = index_of(*slot, sentence);
  return result.to(ids_.device());
}

Tensor SentenceWords::tokens(const Tensor& indices) const {
  const Tensor by_sentence = indices.reshape({ids_.size(0), -1});
  const Tensor among_words = by_sentence.clamp_max(width() - 1);
  // What comes after the words of a sentence has no probability, whatever it is called.
  const Tensor words = ids_.gather(1, among_words).clamp_min(0);
  return at::where(by_sentence.lt(width()), words, by_sentence - width() + vocabulary_).view_as(indices);
}

SentenceWords::Own SentenceWords::own(const Adjustments& given) const {
  Own result;
  if (given.empty()) return result;
  const size_t rows = given.begins.size() - 1, each = rows / words_.size();
  for (size_t row = 0; row < rows; ++row) {
    result.adjustments.begins.push_back(std::ssize(result.places));
    for (int64_t i = given.begins[row]; i < given.begins[row + 1]; ++i) {
      Adjustment one = given.all[static_cast<size_t>(i)];
      one.index = index_of(one.index, row / each);
      if (one.index < 0) continue;
      result.adjustments.all.push_back(one);
      result.places.push_back(i);
    }
  }
  result.adjustments.begins.push_back(std::ssize(result.places));
  return result;
}

void SentenceWords::keep_sentences(const Tensor& rows) {
  const Tensor plain = rows.to(at::kCPU).contiguous();
  std::vector<std::vector<int64_t>> kept;
  for (int64_t i = 0; i < plain.numel(); ++i)
    kept.push_back(words_[static_cast<size_t>(plain.const_data_ptr<int64_t>()[i])]);
  words_ = std::move(kept);
  ids_ = ids_.index_select(0, rows);
}

}  // namespace seq2seq
