#pragma once

#include "seq2seq/nn/engine/step_kernels.h"
#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// The kernels for the steps of a search, or why there are none.
struct StepKernelChoice {
  const StepKernels* kernels = nullptr;
  const char* why_none = "";
};

/// Those of the present settings (Compute) for a model with weights like this one.
StepKernelChoice step_kernels_for(const Tensor& weight);

}  // namespace seq2seq
