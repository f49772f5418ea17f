#pragma once

#include <memory>
#include <variant>

#include "seq2seq/nn/layers/coverage/gru.h"
#include "seq2seq/nn/layers/coverage/linear.h"
#include "seq2seq/nn/layers/coverage/none.h"

namespace seq2seq {

/// A new kind adds two files and its name here.
using CoverageOptions = std::variant<NoCoverage, LinearCoverage, GruCoverage>;

/// Parameters are registered in `owner`, named "coverage_...".
std::unique_ptr<Coverage> make_coverage(const CoverageOptions& options, torch::nn::Module& owner,
                                        const CoverageSizes& sizes);

/// Calls f for each tensor of a CoverageState, in the order in which decoders carry them.
void coverage_tensors(const CoverageOptions& options, auto& state, auto&& f) {
  std::visit([&](const auto& kind) { kind.state(state, f); }, options);
}

}  // namespace seq2seq
