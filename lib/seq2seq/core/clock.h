#pragma once

#include <chrono>

namespace seq2seq {

/// What durations are measured with.
using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace seq2seq
