#include "seq2seq/nn/engine/capabilities.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "seq2seq/core/error.h"
#include "seq2seq/nn/engine/onednn.h"

namespace seq2seq {
namespace {

constexpr const char* variable = "SEQ2SEQ_INSTRUCTION_SET";
constexpr const char* set_names[] = {"baseline", "avx", "avx2", "avx512", "avx512vnni"};

/// Tests all features that nn/CMakeLists.txt compiles the files of nn/cpu with; they may use no others.
InstructionSet best_set() {
#ifdef __x86_64__
  __builtin_cpu_init();
  const bool avx = __builtin_cpu_supports("avx");
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl");
  if (avx2 && avx512)
    return __builtin_cpu_supports("avx512vnni") ? InstructionSet::avx512vnni : InstructionSet::avx512;
  if (avx2) return InstructionSet::avx2;
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

template <class Attempt>
bool works(Attempt attempt) {
  try {
    const at::NoGradGuard no_grad;
    attempt();
    return true;
  } catch (const std::exception&) {  // no implementation for this machine
    return false;
  }
}

/// A product [R, I] x [I, O] and those of its gradients, for a single row and for a batch.
template <class Product>
void try_products(const at::TensorOptions& options, Product product) {
  const Tensor weight = at::ones({48, 32}, options);
  for (const int64_t rows : {1, 16}) {
    const Tensor x = at::ones({rows, 32}, options), y = product(x, weight).to(options);
    product(y, weight.t());
    product(x.t(), y.t());
    product(y.t(), x.t());
  }
}

Tensor onednn_trial(const Tensor& x, const Tensor& weight) {
  return onednn_product(x, weight);
}

/// What is known of each type of device.
class Answers {
 public:
  template <class Question>
  bool find(c10::DeviceType type, Question question) {
    const std::lock_guard lock(mutex_);
    if (!answers_.contains(type)) answers_[type] = question();
    return answers_[type];
  }

 private:
  std::mutex mutex_;
  std::map<c10::DeviceType, bool> answers_;
};

}  // namespace

const char* name_of(InstructionSet set) {
  return set_names[static_cast<int>(set)];
}

InstructionSet instruction_set() {
  static const InstructionSet set = chosen_set();
  return set;
}

bool has_onednn_products() {
  static const bool has = onednn_offers_products() && works([] { try_products(at::kFloat, onednn_trial); });
  return has;
}

bool has_onednn_bfloat16_products() {
  static const bool has =
      onednn_offers_products() && works([] { try_products(at::kBFloat16, onednn_trial); });
  return has;
}

bool has_bfloat16_products(c10::DeviceType type) {
  if (type == c10::kCPU) return has_onednn_bfloat16_products();
  static Answers answers;
  return answers.find(type, [type] {
    return works([type] {
      try_products(at::TensorOptions(type).dtype(at::kBFloat16),
                   [](const Tensor& x, const Tensor& weight) { return at::mm(x, weight.t()); });
    });
  });
}

bool has_mixed_products(c10::DeviceType type) {
  static Answers answers;
  return answers.find(type, [type] {
    return works([type] {
      try_products(at::TensorOptions(type).dtype(at::kBFloat16),
                   [](const Tensor& x, const Tensor& weight) { return at::mm(x, weight.t(), at::kFloat); });
    });
  });
}

}  // namespace seq2seq
