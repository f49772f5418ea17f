#pragma once

#include <span>

#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/engine/kernel_set.h"

namespace seq2seq {

/// All that this program was built with, better ones first.
std::span<const KernelSet* const> kernel_sets();

/// Sets as numbers, which autograd's own functions can keep.
inline int64_t handle_of(const KernelSet* set) {
  return reinterpret_cast<int64_t>(set);
}
inline const KernelSet& set_of(int64_t handle) {
  return *reinterpret_cast<const KernelSet*>(handle);
}

/// What computes operations on `x` now; null = their plain twins, as always while tracing.
const KernelSet* kernels_for(const Tensor& x);
/// The same for one operation, a member of KernelSet: null also where the set lacks it.
template <class Operation>
const KernelSet* kernels_for(const Tensor& x, Operation KernelSet::*operation) {
  const KernelSet* set = kernels_for(x);
  return set == nullptr || set->*operation == nullptr ? nullptr : set;
}

}  // namespace seq2seq
