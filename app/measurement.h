#pragma once

#include <cstdint>
#include <vector>

#include "seq2seq/core/json.h"

namespace seq2seq {

/// Minimum, median and maximum of some windows.
Json describe_windows(const std::vector<double>& values);

/// What one kind of product reaches.
struct ProductSpeed {
  int64_t rows, inputs, outputs;
  double fast, plain;  ///< GFLOP/s of nn/linear as it is, and of at::linear
};

/// Measures y = x W^T for the sizes that the models use, with the present number of threads.
std::vector<ProductSpeed> measure_products();
/// The fastest of them in GFLOP/s: what a model's arithmetic is compared with.
double machine_speed(const std::vector<ProductSpeed>& speeds);

}  // namespace seq2seq
