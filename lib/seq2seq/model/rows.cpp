#include "seq2seq/model/rows.h"

#include <ATen/ATen.h>

namespace seq2seq {

std::vector<Tensor> Rows::selected(const Tensor& rows) const {
  std::vector<Tensor> result;
  result.reserve(tensors.size());
  for (const Tensor& tensor : tensors) result.push_back(tensor.index_select(0, rows));
  return result;
}

void Memory::add_sentences(const Tensor& states, const Tensor& mask, const Tensor& sentence_of_word) {
  sentences_ = tensors.size();
  tensors.insert(tensors.end(), {states, mask, sentence_of_word});
}

void Memory::add_copy_slots(const Tensor& slots) {
  copy_slots_ = tensors.size();
  tensors.push_back(slots);
}

void Memory::add_prepared(const Tensor& tensor) {
  if (prepared_ == 0) prepared_ = tensors.size();
  tensors.push_back(tensor);
}

Memory Memory::select(const Tensor& rows) const {
  Memory result = *this;
  result.tensors = selected(rows);
  return result;
}

}  // namespace seq2seq
