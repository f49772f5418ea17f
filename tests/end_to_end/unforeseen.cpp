// Preloaded into the program: one of LibTorch's operators then throws an unexpected exception.

#include <ATen/core/Tensor.h>
#include <ATen/ops/_fused_adam_ops.h>
#include <ATen/ops/embedding_ops.h>
#include <ATen/ops/to_ops.h>
#include <c10/util/Exception.h>

#include <stdexcept>

namespace at::_ops {
namespace {

[[noreturn]] void fail() {
  TORCH_WARN("a raw warning");
  throw ::std::runtime_error("injected\nwith a second line");
}

}  // namespace

#if defined(UNFORESEEN_TRAINING)
void _fused_adam_::call(at::TensorList, at::TensorList, at::TensorList, at::TensorList, at::TensorList,
                        at::TensorList, double, double, double, double, double, bool, bool,
                        const ::std::optional<at::Tensor>&, const ::std::optional<at::Tensor>&) {
  fail();
}
#elif defined(UNFORESEEN_LOADING)
at::Tensor to_dtype::call(const at::Tensor&, at::ScalarType, bool, bool, ::std::optional<at::MemoryFormat>) {
  fail();
}
#elif defined(UNFORESEEN_DECODING)
// NOLINTNEXTLINE(performance-unnecessary-value-param): the operator's own signature
at::Tensor embedding::call(const at::Tensor&, const at::Tensor&, c10::SymInt, bool, bool) {
  fail();
}
#endif

}  // namespace at::_ops
