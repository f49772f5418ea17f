#pragma once

#include <string>

#include "seq2seq/core/json.h"

namespace seq2seq {

/// What this machine can compute with: its processor and, computing something on each, its GPUs.
Json describe_devices();

/// The same as lines of text.
std::string device_table(const Json& devices);

}  // namespace seq2seq
