#pragma once

#include <functional>
#include <vector>

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// Whether operations on `x` are to be computed twice now (Kernels::check).
bool checking(const Tensor& x);

/// Whether an operation computes products of `Compute::products`, which may be rounded.
enum class OperationContains { no_products, products };

/// Runs `operation` on `inputs` (undefined ones allowed) with fast kernels and with plain ones,
/// compares all outputs and returns the fast ones as one node of the graph, whose gradients are computed and
/// compared in the same way. Random numbers must come from a seed among what `operation` holds.
/// Throws Error with `name`, the shapes and the difference when they differ by more than `kernel_tolerance`
/// and by more than the last bits of what may have cancelled. Gradients are not gathered meanwhile.
std::vector<Tensor> checked(const char* name, const std::vector<Tensor>& inputs,
                            const std::function<std::vector<Tensor>(const std::vector<Tensor>&)>& operation,
                            OperationContains contains = OperationContains::no_products);

/// How far two implementations may be apart, as a share of the largest value: 1e-10 in double, 1e-4 in float,
/// 0.05 where products of floats are computed in bfloat16.
double kernel_tolerance(at::ScalarType type, OperationContains contains = OperationContains::no_products);

/// The largest difference of `a` and `b` as a share of the largest value of `b`; equal infinities do not
/// differ, NaN is infinitely far from everything.
double relative_difference(const Tensor& a, const Tensor& b);

}  // namespace seq2seq
