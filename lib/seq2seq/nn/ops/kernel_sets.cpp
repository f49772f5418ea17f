#include "seq2seq/nn/ops/kernel_sets.h"

#include "seq2seq/nn/cpu/kernel_sets.h"
#include "seq2seq/nn/cuda/kernel_sets.h"

namespace seq2seq {

std::span<const KernelSet* const> kernel_sets() {
  static constexpr const KernelSet* sets[] = {
      &cuda_kernels,  // of tensors on GPUs; the others are the processor's
#ifdef __x86_64__
      &cpu_avx512vnni, &cpu_avx512, &cpu_avx2, &cpu_avx,
#endif
      &cpu_baseline,
  };
  return sets;
}

const KernelSet* kernels_for(const Tensor& x) {
  if (plain_now()) return nullptr;
  if (const KernelSet* chosen = Compute::now().set) return chosen->serves(x) ? chosen : nullptr;
  for (const KernelSet* set : kernel_sets())
    if (set->serves(x)) return set;
  return nullptr;
}

}  // namespace seq2seq
