#pragma once

#include <functional>
#include <vector>

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// Whether operations on `x` are computed by both implementations now (Kernels::check).
bool checking(const Tensor& x);

/// Whether an operation contains products in the active product format, which may be rounded.
enum class OperationContains { no_products, products };

/// Runs `operation` on `inputs` (undefined ones allowed) with fast and with plain kernels, compares all
/// outputs and returns the fast ones as one node of the graph, whose gradients are computed and compared in
/// the same way. Random numbers in `operation` must come from a fixed seed. Throws Error with `name`, the
/// shapes and the difference if they differ by more than `kernel_tolerance` and by more than rounding errors
/// where values cancel. Gradients are not gathered meanwhile.
std::vector<Tensor> checked(const char* name, const std::vector<Tensor>& inputs,
                            const std::function<std::vector<Tensor>(const std::vector<Tensor>&)>& operation,
                            OperationContains contains = OperationContains::no_products);

/// Allowed difference of two implementations, relative to the largest value: 1e-10 in double, 1e-4 in float,
/// 0.05 where products of floats are computed in bfloat16, 0.01 in tf32.
double kernel_tolerance(at::ScalarType type, OperationContains contains = OperationContains::no_products);

/// The largest difference between `a` and `b`, relative to the largest finite value of `b`. Equal infinities
/// do not differ; the difference to NaN is infinite.
double relative_difference(const Tensor& a, const Tensor& b);

}  // namespace seq2seq
