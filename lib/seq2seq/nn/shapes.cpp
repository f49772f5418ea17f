#include "seq2seq/nn/shapes.h"

#include <c10/util/Exception.h>

namespace seq2seq {

void check_shape(const char* name, const Tensor& tensor, std::initializer_list<int64_t> sizes) {
  bool fits = tensor.defined() && tensor.dim() == static_cast<int64_t>(sizes.size());
  for (size_t i = 0; fits && i < sizes.size(); ++i)
    fits = sizes.begin()[i] < 0 || tensor.size(static_cast<int64_t>(i)) == sizes.begin()[i];
  TORCH_CHECK(fits, name, " should have sizes ", at::IntArrayRef(sizes), " (-1 = any), but has ",
              tensor.defined() ? tensor.sizes() : at::IntArrayRef());
}

}  // namespace seq2seq
