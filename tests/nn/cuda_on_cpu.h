#pragma once

#include "seq2seq/nn/engine/kernel_set.h"

namespace seq2seq::test {

/// The templates of nn/cuda as kernels for the CPU, so that what they compute is tested without a GPU: each block
/// and warp is one thread, or four that meet where those of a GPU do.
extern const KernelSet cuda_by_one_thread, cuda_by_four_threads;

}  // namespace seq2seq::test
