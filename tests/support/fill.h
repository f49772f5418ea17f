#pragma once

#include <ATen/ATen.h>
#include <torch/nn/module.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "paths.h"
#include "seq2seq/core/json.h"
#include "shadow_device.h"

namespace seq2seq::test {

using at::Tensor;

/// scale * cos(n^2) for n = start, start + 1, ... in row-major order, in double, on the tests' device. No
/// random numbers, so that a Python reference (tests/reference/cosine_fill.py) has the same. The square
/// matters: with cos(n) every matrix would have rank 2.
inline Tensor cosine(at::IntArrayRef sizes, int64_t start = 0, double scale = 1.0) {
  const int64_t count = c10::multiply_integers(sizes);
  const Tensor n = at::arange(start, start + count, at::kDouble);
  return on_device(((n * n).cos() * scale).view(sizes));
}

/// The same as a leaf tensor that requires its gradient.
inline Tensor cosine_leaf(at::IntArrayRef sizes, int64_t start = 0, double scale = 1.0) {
  return cosine(sizes, start, scale).requires_grad_();
}

/// Fills the parameters one after another in the order of their names.
inline void fill_parameters(torch::nn::Module& module, double scale) {
  const at::NoGradGuard no_grad;
  std::vector<std::pair<std::string, Tensor>> sorted;
  for (const auto& parameter : module.named_parameters())
    sorted.emplace_back(parameter.key(), parameter.value());
  std::ranges::sort(sorted, {}, [](const auto& pair) { return pair.first; });
  int64_t start = 0;
  for (auto& [name, value] : sorted) {
    value.copy_(cosine(value.sizes(), start, scale));
    start += value.numel();
  }
}

/// tests/reference/<name>.json
inline Json read_reference(const std::string& name) {
  return read_json_file(tests_folder + "reference/" + name + ".json");
}

/// A flat list of numbers as a tensor of these sizes.
inline Tensor tensor_of(const Json& values, at::IntArrayRef sizes) {
  return at::tensor(values.get<std::vector<double>>(), on_device(at::kDouble)).view(sizes);
}

}  // namespace seq2seq::test
