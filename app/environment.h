#pragma once

namespace seq2seq {

/// Opens /dev/null for each standard stream that the caller has closed, so that no other file gets its
/// descriptor and what is written to it. Reading from or writing to such a stream still fails.
void open_standard_streams();

/// Suppresses LibTorch's warnings, which concern its internals; its errors arrive as exceptions. Has no
/// effect if TORCH_CPP_LOG_LEVEL is set.
void silence_library_warnings();

/// Without /proc, LibTorch cannot detect the processor and uses its default kernels: triggers the detection
/// here to suppress its warning.
void identify_processor();

/// A path that executes this program again: /proc/self/exe or, without /proc, the path it was started with.
const char* own_program();

}  // namespace seq2seq
