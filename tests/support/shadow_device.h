#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/TensorOptions.h>
#include <torch/nn/module.h>

#include "seq2seq/model/device.h"

namespace seq2seq::test {

/// The device of the tests' tensors and models: the CPU, or, with SEQ2SEQ_TEST_DEVICE, `cuda` or the `shadow`
/// device. Any other value, and `cuda` where there is none, ends the program at its start with one line.
///
/// The shadow device detects, without an accelerator, what would fail on one. The addresses of its tensors
/// must not be accessed by the CPU; only LibTorch's operations, which run on the CPU, find the memory behind
/// them. As on an accelerator, all tensors of an operation must be on the device, except for a
/// zero-dimensional CPU tensor as an argument of its own (not in a list), and CPU generators are refused.
at::Device test_device();

/// The options of tensors on it.
at::TensorOptions on_device(at::ScalarType type);
/// The same values on it.
at::Tensor on_device(const at::Tensor& tensor);
/// Moves the module's parameters and buffers to it.
template <class ModuleHolder>
ModuleHolder on_device(ModuleHolder module);
inline void move_to_test_device(torch::nn::Module& module) {
  move_to(module, test_device());
}

/// Whether the test device is the shadow device, the only one with the counters below.
bool on_shadow_device();
/// How often the shadow device has been synchronized so far: copies to the host, scalars read, and operations
/// whose results have a size that depends on values.
int64_t synchronisations();
/// How many tensors were copied from the host to the shadow device so far.
int64_t copies_to_device();

template <class ModuleHolder>
ModuleHolder on_device(ModuleHolder module) {
  move_to_test_device(*module);
  return module;
}

}  // namespace seq2seq::test
