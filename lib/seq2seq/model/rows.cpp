#include "seq2seq/model/rows.h"

#include <ATen/ATen.h>

namespace seq2seq {

std::vector<Tensor> Rows::selected(const Tensor& rows) const {
  std::vector<Tensor> result;
  result.reserve(tensors.size());
  for (const Tensor& tensor : tensors) result.push_back(tensor.index_select(0, rows));
  return result;
}

}  // namespace seq2seq
