#pragma once

#include <cstdint>
#include <string>

#include "seq2seq/core/json.h"
#include "seq2seq/nn/engine/part_clock.h"

namespace seq2seq {

/// What `threads` threads spent `seconds` of decoding on: by part its seconds, on average over the threads, and its share of
/// the whole; GFLOP/s of those that multiply with weights, on all threads. `waiting` is what is left: threads without a batch.
Json describe_parts(const PartTimes& times, double seconds, int64_t threads);

/// How long all products of these parts would take at least, at this speed in GFLOP/s, if threads did nothing else.
Json describe_limit(const PartTimes& times, double seconds, double speed);

/// Both, and what computes the steps, for people.
std::string part_table(const Json& parts, const Json& limit, const std::string& steps);

}  // namespace seq2seq
