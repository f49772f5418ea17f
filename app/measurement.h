#pragma once

#include <cstdint>
#include <vector>

#include "seq2seq/core/json.h"
#include "seq2seq/nn/engine/packed_weight.h"

namespace seq2seq {

/// Median, minimum and maximum over the windows.
Json describe_windows(const std::vector<double>& values);

/// The speed of products of one shape.
struct ProductSpeed {
  int64_t rows, inputs, outputs;
  double fast, plain;  ///< GFLOP/s of `linear` with fast and with plain kernels
};

/// Measures y = x W^T for shapes typical of the models, with the current number of threads.
std::vector<ProductSpeed> measure_products();
/// The same for weights packed in this format (WeightStore) and `rows` rows, 512 inputs and 2,048 outputs: GFLOP/s of the
/// present settings.
double packed_product_speed(int64_t rows, WeightFormat format);
/// The highest speed in GFLOP/s, with which the arithmetic of a model is compared.
double machine_speed(const std::vector<ProductSpeed>& speeds);

}  // namespace seq2seq
