#pragma once

#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

namespace seq2seq {

class GatheredGradients;
class RecordedStates;
class WeightStore;
struct KernelSet;

/// Which of an operation's two implementations computes it:
///   fast    that of the device's kernel set, where it has one; also oneDNN's products
///   plain   LibTorch's own operations alone: the reference
///   check   both, values and gradients; the first difference throws Error. Gradients are not gathered
///           meanwhile, and LibTorch's own fused layers are not compared.
enum class Kernels { fast, plain, check };
std::span<const char* const> option_names(Kernels);

/// What products of float32 tensors compute in. bfloat16: operands with 8 significant bits, sums in float32;
/// on a CPU, where oneDNN has it.
enum class ProductFormat { float32, bfloat16 };

/// What is in force on this thread: the only ambient thing in the library.
struct Compute {
  Kernels kernels = Kernels::fast;
  ProductFormat products = ProductFormat::float32;
  const KernelSet* set = nullptr;       ///< null = the best one for a tensor; must outlive graphs
  WeightStore* weights = nullptr;       ///< weights in other layouts or formats; null = as they are
  GatheredGradients* gather = nullptr;  ///< null = every use of a weight makes its gradient by itself
  RecordedStates* recorded = nullptr;   ///< who wants to see the states; null = nobody

  static const Compute& now();

  /// What a node of the autograd graph keeps for its gradient, which may be made after the scope has ended
  /// and on another thread; also what a worker takes over.
  Compute kept() const { return {.kernels = kernels, .products = products, .set = set}; }
};

/// Whether LibTorch's own operations alone compute now: when they are asked for, and while tracing, since the
/// code of an archive can name nothing else.
bool plain_now();

/// Replaces what is in force on this thread until its end.
class ComputeScope {
 public:
  /// Throws (TORCH_CHECK) when this machine has no products in bfloat16 and they are asked for.
  explicit ComputeScope(const Compute& compute);
  /// One member alone: `ComputeScope plain(&Compute::kernels, Kernels::plain)`.
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

/// Multiply-adds of all products with weights in this process so far, gradients included: what benchmarks
/// compare with the machine's speed.
int64_t multiply_adds();
/// Adds products that were computed elsewhere, inside one of LibTorch's own layers.
void count_multiply_adds(int64_t count);

}  // namespace seq2seq
