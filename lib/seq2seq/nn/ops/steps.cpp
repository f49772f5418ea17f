#include "seq2seq/nn/ops/steps.h"

#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/ops/kernel_sets.h"

namespace seq2seq {

StepKernelChoice step_kernels_for(const Tensor& weight) {
  const Compute& now = Compute::now();
  if (now.kernels != Kernels::fast) return {.why_none = "the kernels are not the fast ones"};
  if (now.products != ProductFormat::float32) return {.why_none = "products are not in float32"};
  if (weight.scalar_type() != at::kFloat) return {.why_none = "its weights are not in float32"};
  const KernelSet* set = kernels_for(weight, &KernelSet::steps);
  if (set == nullptr) return {.why_none = "the device has no kernels for them"};
  return {.kernels = set->steps};
}

}  // namespace seq2seq
