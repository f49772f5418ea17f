#include "seq2seq/nn/layers/coverage/kinds.h"

namespace seq2seq {

std::unique_ptr<Coverage> make_coverage(const CoverageOptions& options, torch::nn::Module& owner,
                                        const CoverageSizes& sizes) {
  return std::visit(
      [&]<class Kind>(const Kind& kind) -> std::unique_ptr<Coverage> {
        return std::make_unique<typename Kind::Layer>(kind, owner, sizes);
      },
      options);
}

}  // namespace seq2seq
