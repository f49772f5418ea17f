#include "seq2seq/nn/layers/attention/kinds.h"

#include <c10/util/Exception.h>

#include "seq2seq/core/options.h"

namespace seq2seq {

void check_attention(const AttentionOptions& options, const AttentionSizes& sizes, const std::string& place) {
  std::visit(
      [&](const auto& kind) {
        check_values(kind, place);
        if constexpr (requires { kind.check(sizes, place); }) kind.check(sizes, place);
      },
      options);
}

std::shared_ptr<Attention> make_attention(const AttentionOptions& options, const AttentionSizes& sizes,
                                          const CoverageOptions& coverage) {
  check_attention(options, sizes);
  TORCH_CHECK(!std::holds_alternative<NoAttention>(options) || std::holds_alternative<NoCoverage>(coverage),
              "coverage needs attention");
  auto attention = std::visit(
      [&]<class Kind>(const Kind& kind) -> std::shared_ptr<Attention> {
        return std::make_shared<typename Kind::Layer>(kind, sizes);
      },
      options);
  attention->set_coverage(make_coverage(
      coverage, *attention, {.query = sizes.query, .memory = sizes.memory, .key = attention->key_size()}));
  return attention;
}

}  // namespace seq2seq
