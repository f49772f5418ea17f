#pragma once

namespace seq2seq {

/// Gives standard input, output and error something to be when the caller has closed them, so that no other
/// file takes their place and gets what is written to them. Reading and writing them still fails.
void open_standard_streams();

/// LibTorch's warnings speak of its own insides; its errors reach us as exceptions. TORCH_CPP_LOG_LEVEL in
/// the environment brings them back.
void silence_library_warnings();

/// Lets LibTorch find out what the processor can do. Without /proc it cannot, takes its plain kernels and
/// would say so in its own words.
void identify_processor();

/// A path that starts this very program again: /proc/self/exe, or without /proc the one it was started by.
const char* own_program();

}  // namespace seq2seq
