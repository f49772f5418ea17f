#pragma once

#include <c10/util/FunctionRef.h>

#include <cstdint>

namespace seq2seq {

/// Calls `run(begin, end)` for ranges that together cover 0 to `count`, each on a thread of its own: at
/// most `count` / `grain`, rounded up, and at most as many as LibTorch has threads. Within another such
/// loop, all on the calling thread. Kernels treat each row alone, so the ranges never change a result.
/// Rethrows what a range threw.
void parallel_for(int64_t count, int64_t grain, c10::function_ref<void(int64_t begin, int64_t end)> run);

}  // namespace seq2seq
