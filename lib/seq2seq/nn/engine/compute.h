#pragma once

#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

namespace seq2seq {

class GatheredGradients;
class PartClock;
class RecordedStates;
class WeightStore;
struct KernelSet;

/// Which of an operation's two implementations computes it:
///   fast    the kernel of the device's kernel set, where it has one, and oneDNN's products
///   plain   LibTorch's own operations alone: the reference
///   check   both, comparing values and gradients; the first difference throws Error. Gradients are not
///           gathered meanwhile, and LibTorch's own fused layers are not compared.
enum class Kernels { fast, plain, check };
std::span<const char* const> option_names(Kernels);

/// Number format of products of float32 tensors. bfloat16: operands rounded to 8 significant bits, and
/// results too where the device has no other products; accumulation in float32. On a device that computes no
/// such products they throw c10::Error.
enum class ProductFormat { float32, bfloat16 };

/// The active settings of this thread: the library's only thread-local state.
struct Compute {
  Kernels kernels = Kernels::fast;
  ProductFormat products = ProductFormat::float32;
  const KernelSet* set = nullptr;       ///< null = the best one for each tensor; must outlive graphs
  WeightStore* weights = nullptr;       ///< packed copies of weights; null = none
  GatheredGradients* gather = nullptr;  ///< null = each use of a weight computes its own gradient
  RecordedStates* recorded = nullptr;   ///< collects states of modules; null = none
  PartClock* clock = nullptr;           ///< takes this thread's time; null = none

  static const Compute& now();

  /// The settings that a node of the autograd graph keeps for its backward pass, which may run after the
  /// scope has ended and on another thread; also those that worker threads take over.
  Compute kept() const { return {.kernels = kernels, .products = products, .set = set}; }
};

/// Whether LibTorch's own operations alone compute now: with Kernels::plain, and while tracing, since the
/// code of a TorchScript archive can call nothing else.
bool plain_now();

/// Replaces this thread's active settings during its lifetime.
class ComputeScope {
 public:
  explicit ComputeScope(const Compute& compute);
  /// Replaces one member only: `ComputeScope plain(&Compute::kernels, Kernels::plain)`.
  template <class Value>
  ComputeScope(Value Compute::*member, std::type_identity_t<Value> value)
      : ComputeScope(with(member, std::move(value))) {}
  ~ComputeScope();
  ComputeScope(const ComputeScope&) = delete;
  ComputeScope& operator=(const ComputeScope&) = delete;

 private:
  template <class Value>
  static Compute with(Value Compute::*member, Value value) {
    Compute compute = Compute::now();
    compute.*member = std::move(value);
    return compute;
  }
  Compute previous_;
};

/// Multiply-adds of all products with weights in this process so far, gradients included, for benchmarks.
int64_t multiply_adds();
/// Counts products computed elsewhere, such as inside LibTorch's own layers.
void count_multiply_adds(int64_t count);

}  // namespace seq2seq
