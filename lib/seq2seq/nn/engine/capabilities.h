#pragma once

#include <c10/core/DeviceType.h>

namespace seq2seq {

// What this machine can compute. Each answer is determined at its first call, then cached; thread-safe.

/// Instruction sets of the loops in nn/cpu, in ascending order.
enum class InstructionSet { baseline, avx, avx2, avx512, avx512vnni };
/// "baseline", "avx", "avx2", "avx512", "avx512vnni".
const char* name_of(InstructionSet set);
/// The best one that the processor and operating system support, tested feature by feature, or a lower one
/// named by SEQ2SEQ_INSTRUCTION_SET in the environment. Throws Error if that is unknown or unsupported.
InstructionSet instruction_set();

/// Whether oneDNN computed a product in this form, and the products of its gradient, without an exception. A
/// trial run, since processor flags do not show the limit that ONEDNN_MAX_CPU_ISA may set.
bool has_onednn_products();           ///< float32
bool has_onednn_bfloat16_products();  ///< operands in bfloat16

/// The same of devices of a type: whether they compute products of operands in bfloat16, by oneDNN on the CPU
/// and by LibTorch elsewhere.
bool has_bfloat16_products(c10::DeviceType type);
/// Whether LibTorch computes such products with results in float32, never rounded to bfloat16.
bool has_mixed_products(c10::DeviceType type);

}  // namespace seq2seq
