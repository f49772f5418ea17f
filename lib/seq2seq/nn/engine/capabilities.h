#pragma once

namespace seq2seq {

// What this machine can compute. Each answer is determined at its first call, then cached; thread-safe.

/// Instruction sets of the loops in nn/cpu, in ascending order.
enum class InstructionSet { baseline, avx, avx2, avx512 };
/// "baseline", "avx", "avx2", "avx512".
const char* name_of(InstructionSet set);
/// The best one that the processor and operating system support, tested feature by feature, or a lower one
/// named by SEQ2SEQ_INSTRUCTION_SET in the environment. Throws Error if that is unknown or unsupported.
InstructionSet instruction_set();

/// Whether oneDNN computed a product in this form, and the products of its gradient, without an exception. A
/// trial run, since processor flags do not show the limit that ONEDNN_MAX_CPU_ISA may set.
bool has_onednn_products();           ///< float32
bool has_onednn_packed_products();    ///< float32, packed weights; forward only
bool has_onednn_bfloat16_products();  ///< operands in bfloat16

}  // namespace seq2seq
