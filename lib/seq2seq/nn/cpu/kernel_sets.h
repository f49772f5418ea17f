#pragma once

#include "seq2seq/nn/engine/kernel_set.h"

namespace seq2seq {

// The loops of loops.h over all rows, distributed over threads, for float and double. The number of threads
// never changes a result.

extern const KernelSet cpu_baseline;
#ifdef __x86_64__
extern const KernelSet cpu_avx, cpu_avx2, cpu_avx512, cpu_avx512vnni;
#endif

}  // namespace seq2seq
