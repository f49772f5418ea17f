#pragma once

#include "targets.h"

namespace seq2seq::fuzz {

// The targets of text_targets.cpp and model_targets.cpp.
std::span<const Target> text_targets();
std::span<const Target> model_targets();

}  // namespace seq2seq::fuzz
