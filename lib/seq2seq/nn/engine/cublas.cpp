#include "seq2seq/nn/engine/cublas.h"

#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace seq2seq {
namespace {

/// The part of cublasLt.h that is used; the same in its versions 11 to 13. A status of 0 is success.
namespace lt {

enum DataType : int { float32 = 0, bfloat16 = 14 };
enum ComputeType : int { compute_float32 = 68, compute_tf32 = 77 };
enum DescriptionAttribute : int { transpose_a = 3, transpose_b = 4, epilogue = 7, bias_pointer = 8 };
enum Epilogue : int { epilogue_bias = 4 };
enum PreferenceAttribute : int {
  workspace_bytes = 1,
  alignment_a = 5,
  alignment_b,
  alignment_c,
  alignment_d
};

using Object = void*;  // handles, descriptions, layouts, preferences
struct Algorithm {
  uint64_t data[8];
};
struct Proposal {
  Algorithm algorithm;
  size_t workspace;
  int status;
  float waves;
  int reserved[4];
};

struct Functions {
  int (*create)(Object* handle);
  int (*create_description)(Object* description, int compute_type, int scale_type);
  int (*set_description)(Object description, int attribute, const void* value, size_t bytes);
  int (*destroy_description)(Object description);
  int (*create_layout)(Object* layout, int type, uint64_t rows, uint64_t columns, int64_t leading);
  int (*destroy_layout)(Object layout);
  int (*create_preference)(Object* preference);
  int (*set_preference)(Object preference, int attribute, const void* value, size_t bytes);
  int (*destroy_preference)(Object preference);
  int (*propose)(Object handle, Object description, Object a, Object b, Object c, Object d, Object preference,
                 int wanted, Proposal* proposals, int* found);
  int (*multiply)(Object handle, Object description, const void* alpha, const void* a, Object a_layout,
                  const void* b, Object b_layout, const void* beta, const void* c, Object c_layout, void* d,
                  Object d_layout, const Algorithm* algorithm, void* workspace, size_t workspace_bytes,
                  void* stream);

  /// Whether all of them are there.
  bool find(void* library) {
    return find(library, "cublasLtCreate", create) &&
           find(library, "cublasLtMatmulDescCreate", create_description) &&
           find(library, "cublasLtMatmulDescSetAttribute", set_description) &&
           find(library, "cublasLtMatmulDescDestroy", destroy_description) &&
           find(library, "cublasLtMatrixLayoutCreate", create_layout) &&
           find(library, "cublasLtMatrixLayoutDestroy", destroy_layout) &&
           find(library, "cublasLtMatmulPreferenceCreate", create_preference) &&
           find(library, "cublasLtMatmulPreferenceSetAttribute", set_preference) &&
           find(library, "cublasLtMatmulPreferenceDestroy", destroy_preference) &&
           find(library, "cublasLtMatmulAlgoGetHeuristic", propose) &&
           find(library, "cublasLtMatmul", multiply);
  }

 private:
  template <class Function>
  static bool find(void* library, const char* symbol, Function& function) {
    function = reinterpret_cast<Function>(dlsym(library, symbol));
    return function != nullptr;
  }
};

}  // namespace lt

/// Null where LibTorch has loaded none.
const lt::Functions* functions() {
  static const std::optional<lt::Functions> found = []() -> std::optional<lt::Functions> {
    for (const char* name : {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11"}) {
      lt::Functions functions{};
      void* library = dlopen(name, RTLD_LAZY | RTLD_NOLOAD);
      if (library != nullptr && functions.find(library)) return functions;
    }
    return std::nullopt;
  }();
  return found ? &*found : nullptr;
}

/// A matrix [rows, columns] in memory: its rows or its columns are contiguous, `leading` elements apart.
struct Side {
  bool contiguous_rows;
  int64_t leading;
};

std::optional<Side> side_of(const Tensor& x) {
  const int64_t rows = x.size(0), columns = x.size(1);
  if ((x.stride(1) == 1 || columns == 1) && (rows == 1 || x.stride(0) >= columns))
    return Side{true, rows == 1 ? columns : x.stride(0)};
  if ((x.stride(0) == 1 || rows == 1) && (columns == 1 || x.stride(1) >= rows))
    return Side{false, columns == 1 ? rows : x.stride(1)};
  return std::nullopt;
}

/// The largest power of two up to 256 by which the address can be divided.
uint32_t alignment_of(const void* address) {
  const auto zeros = std::countr_zero(reinterpret_cast<uintptr_t>(address));
  return uint32_t{1} << std::min(zeros, 8);
}

/// All that the choice of an algorithm depends on.
struct Shape {
  int64_t device, rows, columns, terms;  // of the product, and of each sum in it
  Side left, right;
  bool in_bfloat16, tf32, has_bias;
  std::array<uint32_t, 3> alignments;  // left, right, product

  auto fields() const {
    return std::array<int64_t, 12>{device,
                                   rows,
                                   columns,
                                   terms,
                                   left.leading,
                                   right.leading,
                                   left.contiguous_rows + 2 * right.contiguous_rows,
                                   in_bfloat16 + 2 * tf32,
                                   has_bias,
                                   alignments[0],
                                   alignments[1],
                                   alignments[2]};
  }
  bool operator==(const Shape& other) const { return fields() == other.fields(); }
};
struct ShapeHash {
  size_t operator()(const Shape& shape) const {
    uint64_t hash = 0;
    for (const int64_t field : shape.fields())
      hash = (hash ^ static_cast<uint64_t>(field)) * 0x9e3779b97f4a7c15U;
    return hash ^ hash >> 29;
  }
};

/// Of each device: a handle, and memory for algorithms that need some. All calls are on the default stream, one
/// after the other, so that it serves all threads.
struct Device {
  lt::Object handle = nullptr;
  Tensor workspace;
};

// What cuBLAS recommends for GPUs of compute capability 9.0.
constexpr int64_t workspace_size = 32 << 20;

const Device& cublas_device(const Tensor& x) {
  static std::mutex mutex;
  // Never destroyed: CUDA ends before static objects do.
  static auto& devices = *new std::map<c10::DeviceIndex, Device>();
  const std::lock_guard lock(mutex);
  Device& device = devices[x.device().index()];
  if (device.handle == nullptr && functions()->create(&device.handle) == 0)
    device.workspace = at::empty({workspace_size}, x.options().dtype(at::kByte).requires_grad(false));
  return device;
}

/// How products of one shape are computed. cuBLASLt stores a matrix by columns: it is given the transposed
/// operands in the other order, for the transposed product.
class Plan {
 public:
  Plan(const Device& device, const Shape& shape, const Tensor& bias) {
    const lt::Functions& cublas = *functions();
    const int type = shape.in_bfloat16 ? lt::bfloat16 : lt::float32;
    const int compute = shape.tf32 && !shape.in_bfloat16 ? lt::compute_tf32 : lt::compute_float32;
    usable_ = cublas.create_description(&description_, compute, lt::float32) == 0 &&
              set_transpose(lt::transpose_a, !shape.right.contiguous_rows) &&
              set_transpose(lt::transpose_b, !shape.left.contiguous_rows) &&
              (!shape.has_bias || (set_epilogue() && set_bias(bias))) &&
              create_layout(a_, type, shape.terms, shape.columns, shape.right) &&
              create_layout(b_, type, shape.rows, shape.terms, shape.left) &&
              create_layout(d_, lt::float32, shape.rows, shape.columns, Side{true, shape.columns}) &&
              choose(device, shape);
  }
  ~Plan() {
    if (description_ != nullptr) functions()->destroy_description(description_);
    for (lt::Object layout : {a_, b_, d_})
      if (layout != nullptr) functions()->destroy_layout(layout);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  bool run(const Device& device, const Tensor& left, const Tensor& right, const Tensor& bias,
           const Tensor& product) {
    if (!usable_) return false;
    if (bias.defined() && !set_bias(bias)) return false;
    constexpr float one = 1, zero = 0;
    void* result = product.mutable_data_ptr();
    const int status = functions()->multiply(
        device.handle, description_, &one, right.const_data_ptr(), a_, left.const_data_ptr(), b_, &zero,
        result, d_, result, d_, &algorithm_, device.workspace.mutable_data_ptr(), workspace_size, nullptr);
    usable_ = status == 0;
    return usable_;
  }

 private:
  bool set_transpose(int attribute, bool transpose) {
    const int32_t value = transpose ? 1 : 0;
    return functions()->set_description(description_, attribute, &value, sizeof value) == 0;
  }
  bool set_epilogue() {
    const int32_t value = lt::epilogue_bias;
    return functions()->set_description(description_, lt::epilogue, &value, sizeof value) == 0;
  }
  bool set_bias(const Tensor& bias) {
    const void* values = bias.const_data_ptr();
    return functions()->set_description(description_, lt::bias_pointer, &values, sizeof values) == 0;
  }
  /// Of a matrix [rows, columns], as the transposed one by columns.
  static bool create_layout(lt::Object& layout, int type, int64_t rows, int64_t columns, const Side& side) {
    if (!side.contiguous_rows) std::swap(rows, columns);
    return functions()->create_layout(&layout, type, static_cast<uint64_t>(columns),
                                      static_cast<uint64_t>(rows), side.leading) == 0;
  }
  bool choose(const Device& device, const Shape& shape) {
    const lt::Functions& cublas = *functions();
    lt::Object preference = nullptr;
    if (cublas.create_preference(&preference) != 0) return false;
    const uint64_t bytes = workspace_size;
    cublas.set_preference(preference, lt::workspace_bytes, &bytes, sizeof bytes);
    const auto [left, right, product] = shape.alignments;
    for (const auto& [attribute, value] : {std::pair{lt::alignment_a, right},
                                           {lt::alignment_b, left},
                                           {lt::alignment_c, product},
                                           {lt::alignment_d, product}})
      cublas.set_preference(preference, attribute, &value, sizeof value);
    lt::Proposal proposal{};
    int found = 0;
    const int status =
        cublas.propose(device.handle, description_, a_, b_, d_, d_, preference, 1, &proposal, &found);
    cublas.destroy_preference(preference);
    algorithm_ = proposal.algorithm;
    return status == 0 && found == 1 && proposal.status == 0;
  }

  lt::Object description_ = nullptr, a_ = nullptr, b_ = nullptr, d_ = nullptr;
  lt::Algorithm algorithm_{};
  bool usable_ = false;
};

/// The plans of this thread: a description holds the bias of the product at hand.
Plan& plan_of(const Device& device, const Shape& shape, const Tensor& bias) {
  constexpr size_t most = 20'000;
  // Not destroyed, like the devices.
  static thread_local auto& plans = *new std::unordered_map<Shape, Plan, ShapeHash>();
  if (plans.size() >= most) plans.clear();
  const auto found = plans.find(shape);
  return found != plans.end() ? found->second : plans.try_emplace(shape, device, shape, bias).first->second;
}

/// The default stream is the one with this number, and the null stream of CUDA.
constexpr c10::StreamId default_stream = 0;

bool serves(const Tensor& left, const Tensor& right, const Tensor& bias) {
  const auto type = left.scalar_type();
  return left.is_cuda() && (type == at::kFloat || type == at::kBFloat16) && right.scalar_type() == type &&
         (!bias.defined() || (bias.scalar_type() == at::kFloat && bias.is_contiguous())) &&
         left.numel() > 0 && right.numel() > 0 && functions() != nullptr &&
         c10::impl::VirtualGuardImpl(at::kCUDA).getStream(left.device()).id() == default_stream;
}

Tensor planned_product(const Tensor& given_left, const Tensor& given_right, const Tensor& bias) {
  const auto served = [](const Tensor& x) { return side_of(x) ? x : x.contiguous(); };
  const Tensor left = served(given_left), right = served(given_right);
  const c10::DeviceGuard guard(left.device());
  const Device& device = cublas_device(left);
  if (!device.workspace.defined()) return {};
  const Tensor product =
      at::empty({left.size(0), right.size(1)}, left.options().dtype(at::kFloat).requires_grad(false));
  const Shape shape{.device = left.device().index(),
                    .rows = left.size(0),
                    .columns = right.size(1),
                    .terms = left.size(1),
                    .left = *side_of(left),
                    .right = *side_of(right),
                    .in_bfloat16 = left.scalar_type() == at::kBFloat16,
                    .tf32 = at::globalContext().allowTF32CuBLAS(),
                    .has_bias = bias.defined(),
                    .alignments = {alignment_of(left.const_data_ptr()), alignment_of(right.const_data_ptr()),
                                   alignment_of(product.const_data_ptr())}};
  return plan_of(device, shape, bias).run(device, left, right, bias, product) ? product : Tensor();
}

/// Whether products in all layouts are those of LibTorch: a version whose interface differs is not used.
bool works_on(const c10::Device& device) {
  const auto options = at::TensorOptions(device).dtype(at::kFloat);
  const Tensor left = at::arange(40, options).cos().view({5, 8}),
               right = at::arange(32, options).sin().view({8, 4});
  const Tensor bias = at::arange(4, options), expected = left.mm(right);
  for (const Tensor& a : {left, left.t().contiguous().t()})
    for (const Tensor& b : {right, right.t().contiguous().t()})
      for (const Tensor& c : {Tensor(), bias}) {
        const Tensor product = planned_product(a, b, c);
        if (!product.defined() || !product.allclose(c.defined() ? expected + c : expected, 1e-2, 1e-2))
          return false;
      }
  return true;
}

}  // namespace

Tensor cublas_product(const Tensor& left, const Tensor& right, const Tensor& bias) {
  if (!serves(left, right, bias)) return {};
  static const bool works = [&] {
    const c10::InferenceMode no_graph;
    return works_on(left.device());
  }();
  return works ? planned_product(left, right, bias) : Tensor();
}

}  // namespace seq2seq
