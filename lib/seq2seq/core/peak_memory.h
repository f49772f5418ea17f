#pragma once

namespace seq2seq {

/// The most memory this process has had, in MiB.
double peak_memory_mib();

}  // namespace seq2seq
