#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/TensorOptions.h>
#include <torch/nn/module.h>

#include "seq2seq/model/device.h"

namespace seq2seq::test {

/// Where tests make their tensors and models: the CPU, or, with SEQ2SEQ_TEST_DEVICE, `cuda` or the `shadow`
/// device. Any other value, and `cuda` where there is none, ends the program at its start with one line.
///
/// The shadow device finds, without any accelerator, what would fail on one. Its tensors know addresses
/// that the processor may not touch; only LibTorch's operations, which are those of the CPU, find the memory
/// behind them. As on an accelerator, all tensors of an operation are on the device, but for a
/// zero-dimensional one of the CPU as an argument of its own (in a list it is refused), and a generator of
/// the CPU is refused.
at::Device test_device();

/// The options of tensors made there.
at::TensorOptions on_device(at::ScalarType type);
/// The same values there.
at::Tensor on_device(const at::Tensor& tensor);
/// Moves its parameters and buffers there.
template <class ModuleHolder>
ModuleHolder on_device(ModuleHolder module);
inline void move_to_test_device(torch::nn::Module& module) {
  move_to(module, test_device());
}

/// Whether the test device is the shadow device, the only one that counts.
bool on_shadow_device();
/// How often the processor has waited for the shadow device so far: copies to the host, numbers read, and
/// operations whose results have a size that depends on values.
int64_t synchronisations();
/// How many tensors were copied from the host to the shadow device so far.
int64_t copies_to_device();

template <class ModuleHolder>
ModuleHolder on_device(ModuleHolder module) {
  move_to_test_device(*module);
  return module;
}

}  // namespace seq2seq::test
