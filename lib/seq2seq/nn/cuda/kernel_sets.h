#pragma once

#include "seq2seq/nn/engine/kernel_set.h"

namespace seq2seq {

/// Kernels for NVIDIA's GPUs, in a library that is opened when it is first needed; where it is not found, or not
/// for this machine, the set serves nothing. Serves the default stream alone.
extern const KernelSet cuda_kernels;

}  // namespace seq2seq
