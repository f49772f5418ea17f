#pragma once

#include <c10/core/Device.h>
#include <torch/nn/module.h>

#include <cstdint>
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

/// Lets LibTorch use this many processor threads; 0 = one for each core that this process may use, at most
/// OMP_NUM_THREADS. LibTorch's own choice knows nothing of a container's quota: whatever computes calls this
/// first. Throws Error when the environment asks for an instruction set that is not there.
void use_threads(int64_t threads);

}  // namespace seq2seq
