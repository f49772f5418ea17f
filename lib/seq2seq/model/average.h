#pragma once

#include <filesystem>
#include <vector>

#include "seq2seq/model/archive/checkpoint.h"

namespace seq2seq {

/// A model whose weights are the mean of those of several, summed in float64: checkpoints of one run, or of
/// runs with the same configuration and vocabularies. Throws Error naming the first that differs.
TranslationModel average_models(const std::vector<std::filesystem::path>& paths);

}  // namespace seq2seq
