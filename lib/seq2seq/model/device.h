#pragma once

#include <c10/core/Device.h>
#include <torch/nn/module.h>

#include <string>

namespace seq2seq {

/// Throws UsageError unless `name` is cpu, cuda, cuda:N or, with or without :N, the name of the backend that
/// this process has registered with LibTorch (its "PrivateUse1").
void check_device_name(const std::string& name);

/// The device of that name. Throws UsageError as above, Error when this LibTorch cannot use it.
c10::Device open_device(const std::string& name);

/// Moves parameters and buffers, which stay the same tensors to whoever holds them; gradients are dropped.
/// What all of the library moves models with: LibTorch's own `Module::to` refuses registered backends.
void move_to(torch::nn::Module& module, c10::Device device);

}  // namespace seq2seq
