#pragma once

namespace seq2seq {

// What this machine can compute: the one place that knows. Each is found out at the first question, then
// remembered; thread-safe.

/// Of our own loops (nn/cpu), in rising order.
enum class InstructionSet { baseline, avx, avx2, avx512 };
/// "baseline", "avx", "avx2", "avx512".
const char* name_of(InstructionSet set);
/// The best one here: features of the processor and the operating system, one by one. The environment's
/// SEQ2SEQ_INSTRUCTION_SET names a lower one. Throws Error when it names one that is unknown or lacking.
InstructionSet instruction_set();

/// Whether a product and the products of its gradient came out of oneDNN without an exception, in this form.
/// Tried instead of asked: flags of the processor say nothing of a oneDNN that was told, by
/// ONEDNN_MAX_CPU_ISA, to do with less.
bool has_onednn_products();           ///< float32
bool has_onednn_packed_products();    ///< float32, weights laid out beforehand; forward alone
bool has_onednn_bfloat16_products();  ///< operands in bfloat16

}  // namespace seq2seq
