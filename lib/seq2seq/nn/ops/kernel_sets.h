#pragma once

#include <span>

#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/engine/kernel_set.h"

namespace seq2seq {

/// All kernel sets built into this program, best first.
std::span<const KernelSet* const> kernel_sets();

/// Kernel sets as int64, which AutogradContext::saved_data can hold.
inline int64_t handle_of(const KernelSet* set) {
  return reinterpret_cast<int64_t>(set);
}
inline const KernelSet& set_of(int64_t handle) {
  return *reinterpret_cast<const KernelSet*>(handle);  // NOLINT(performance-no-int-to-ptr)
}

/// The kernel set for operations on `x` now; null = use the plain versions, as always while tracing.
const KernelSet* kernels_for(const Tensor& x);
/// The same for one operation, a member of KernelSet: null also where the set lacks it.
template <class Operation>
const KernelSet* kernels_for(const Tensor& x, Operation KernelSet::*operation) {
  const KernelSet* set = kernels_for(x);
  return set == nullptr || set->*operation == nullptr ? nullptr : set;
}

}  // namespace seq2seq
