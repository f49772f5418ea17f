#include "seq2seq/nn/engine/capabilities.h"

#include <ATen/ATen.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>

#include "seq2seq/core/error.h"
#include "seq2seq/nn/engine/onednn.h"

namespace seq2seq {
namespace {

constexpr const char* variable = "SEQ2SEQ_INSTRUCTION_SET";
constexpr const char* set_names[] = {"baseline", "avx", "avx2", "avx512"};

/// Tests all features that nn/CMakeLists.txt compiles the files of nn/cpu with; they may use no others.
InstructionSet best_set() {
#ifdef __x86_64__
  __builtin_cpu_init();
  const bool avx = __builtin_cpu_supports("avx");
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl");
  if (avx2) return avx512 ? InstructionSet::avx512 : InstructionSet::avx2;
  if (avx) return InstructionSet::avx;
#endif
  return InstructionSet::baseline;
}

InstructionSet chosen_set() {
  const InstructionSet best = best_set();
  const char* asked = std::getenv(variable);
  if (asked == nullptr || *asked == '\0') return best;
  const auto found = std::ranges::find(set_names, std::string_view(asked));
  if (found == std::end(set_names))
    throw Error(variable, fmt::format("'{}' is unknown", asked),
                fmt::format("valid: {}", fmt::join(set_names, ", ")));
  const auto set = static_cast<InstructionSet>(found - std::begin(set_names));
  if (set > best)
    throw Error(variable, std::string("this processor lacks ") + asked,
                std::string("it has ") + name_of(best) + "; name that or less, or leave it out");
  return set;
}

bool works(void (*attempt)()) {
  try {
    const at::NoGradGuard no_grad;
    attempt();
    return true;
  } catch (const std::exception&) {  // oneDNN has no implementation for this machine
    return false;
  }
}

/// A product [R, I] x [I, O] and those of its gradients, for a single row and for a batch.
void try_products(at::ScalarType format) {
  const Tensor weight = at::ones({48, 32}, format);
  for (const int64_t rows : {1, 16}) {
    const Tensor x = at::ones({rows, 32}, format), y = onednn_product(x, weight);
    onednn_product(y, weight.t());
    onednn_product(x.t(), y.t());
    onednn_product(y.t(), x.t());
  }
}

}  // namespace

const char* name_of(InstructionSet set) {
  return set_names[static_cast<int>(set)];
}

InstructionSet instruction_set() {
  static const InstructionSet set = chosen_set();
  return set;
}

bool has_onednn_products() {
  static const bool has = onednn_offers_products() && works([] { try_products(at::kFloat); });
  return has;
}

bool has_onednn_packed_products() {
  static const bool has = onednn_offers_packing() && works([] {
                            const Tensor packed = onednn_packed(at::ones({48, 32}));
                            for (const int64_t rows : {1, 16}) onednn_product(at::ones({rows, 32}), packed);
                          });
  return has;
}

bool has_onednn_bfloat16_products() {
  static const bool has = onednn_offers_products() && works([] { try_products(at::kBFloat16); });
  return has;
}

}  // namespace seq2seq
