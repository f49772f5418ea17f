#include "seq2seq/model/rows.h"

#include <ATen/ATen.h>

namespace seq2seq {

std::vector<Tensor> Rows::selected(const Tensor& rows) const {
  std::vector<Tensor> result;
  result.reserve(tensors.size());
  for (const Tensor& tensor : tensors) result.push_back(tensor.index_select(0, rows));
  return result;
}

void RowsReader::operator()(Tensor& tensor) {
  TORCH_CHECK(!left_.empty(), "these rows lack what is asked of them: were they prepared?");
  tensor = left_.front();
  left_ = left_.subspan(1);
}

void Memory::add_sentences(const SentenceMemory& sentences) {
  sentences_ = tensors.size();
  SentenceMemory::tensors(sentences, [this](const Tensor& tensor) { tensors.push_back(tensor); });
}

SentenceMemory Memory::sentences() const {
  SentenceMemory result;
  SentenceMemory::tensors(result, added(sentences_));
  return result;
}

void Memory::add_copy_slots(const Tensor& slots) {
  copy_slots_ = tensors.size();
  tensors.push_back(slots);
}

void Memory::replace_copy_slots(const Tensor& slots) {
  TORCH_CHECK(has_copy_slots(), "this memory has no copy slots");
  tensors[copy_slots_] = slots;
}

const Tensor& Memory::copy_slots() const {
  TORCH_CHECK(has_copy_slots(), "this memory has no copy slots");
  return tensors[copy_slots_];
}

void Memory::add_prepared(const Tensor& tensor) {
  if (prepared_ == none) prepared_ = tensors.size();
  tensors.push_back(tensor);
}

RowsReader Memory::added(size_t begin) const {
  return RowsReader(begin == none ? std::span<const Tensor>() : std::span(tensors).subspan(begin));
}

Memory Memory::slots_alone() const {
  const Tensor none = at::empty({count(), 0}, states().options());
  Memory result(none, none, none);
  if (has_copy_slots()) result.add_copy_slots(copy_slots());
  return result;
}

Memory Memory::select(const Tensor& rows) const {
  Memory result = *this;
  result.tensors = selected(rows);
  return result;
}

}  // namespace seq2seq
