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

void Memory::replace_copy_slots(const Tensor& slots) {
  TORCH_CHECK(has_copy_slots(), "this memory has no copy slots");
  tensors[copy_slots_] = slots;
}

void Memory::add_prepared(const Tensor& tensor) {
  if (prepared_ == none) prepared_ = tensors.size();
  tensors.push_back(tensor);
}

const Tensor& Memory::added(size_t begin, size_t index) const {
  TORCH_CHECK(begin != none, "this memory lacks what is asked of it: was it prepared?");
  return tensors[begin + index];
}

Memory Memory::select(const Tensor& rows) const {
  Memory result = *this;
  result.tensors = selected(rows);
  return result;
}

}  // namespace seq2seq
