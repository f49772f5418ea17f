#pragma once

#include <c10/util/FunctionRef.h>

#include <cstdint>

namespace seq2seq {

/// Calls `run(begin, end)` for ranges that together cover 0 to `count`: no more of them than `count` /
/// `grain`, rounded up, and than LibTorch has threads now, each on its own; all on this thread within another
/// such loop. The ranges never change a result of ours. Throws what one of them threw.
void parallel_for(int64_t count, int64_t grain, c10::function_ref<void(int64_t begin, int64_t end)> run);

}  // namespace seq2seq
