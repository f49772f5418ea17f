#pragma once

namespace seq2seq {

/// Peak resident memory of this process, in MiB.
double peak_memory_mib();

}  // namespace seq2seq
