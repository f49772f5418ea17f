#pragma once

// Dimension letters in the comments and error messages of nn, model, decode and train:
//   B sentences   S source length   T target length   H width   V target vocabulary
//   K hypotheses per sentence   N = B * K rows, the hypotheses of a sentence adjacent
// Everything is batch first. Masks are boolean, true = attend.

#include <ATen/core/Tensor.h>

#include <initializer_list>

namespace seq2seq {

using at::Tensor;

/// Throws c10::Error (TORCH_CHECK) unless `tensor` has these sizes; -1 matches any size.
void check_shape(const char* name, const Tensor& tensor, std::initializer_list<int64_t> sizes);

}  // namespace seq2seq
