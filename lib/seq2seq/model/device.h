#pragma once

#include <c10/core/Device.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <string>

#include "seq2seq/core/options.h"
#include "seq2seq/nn/engine/compute.h"

namespace seq2seq {

/// What computes: of every command that has a model at work.
struct MachineOptions {
  int64_t threads = 0;
  std::string device = "auto";
  Kernels kernels = Kernels::fast;
  static void threads_field(auto& o, auto& f) {
    f("threads", o.threads, "CPU threads; 0 = one per usable core", in_range(0, 1024), on_resume_free);
  }
  static void fields(auto& o, auto& f) {
    threads_field(o, f);
    f("device", o.device, "cpu, cuda, cuda:N, or auto: a GPU that works, else the CPU", on_resume_free,
      everyday);
    f("kernels", o.kernels,
      "fast kernels, LibTorch's operations alone (plain) or both, ending at the first difference (check)",
      on_resume_free);
  }
};

/// Throws UsageError unless `name` is auto, cpu, cuda, cuda:N or, with or without :N, the name of the backend
/// that this process has registered with LibTorch (its "PrivateUse1").
void check_device_name(const std::string& name);

/// The device of that name; of `auto`, which is decided once and logged, the first GPU that works, else the
/// CPU. Throws UsageError as above, Error when the device is not available. Call it before anything else of
/// LibTorch: the first use of a GPU loads the libraries for it, and LibTorch remembers what it had before.
c10::Device open_device(const std::string& name);

/// Whether that name means the CPU, or a CUDA device. Opens no device but that of `auto`.
bool means_cpu(const std::string& name);
bool means_cuda(const std::string& name);

/// Moves parameters and buffers in place: references to them stay valid; gradients are dropped. The library
/// moves all models with it, because LibTorch's `Module::to` refuses registered backends.
void move_to(torch::nn::Module& module, c10::Device device);

/// Sets the number of LibTorch's CPU threads; 0 = one per core that this process may use, at most
/// OMP_NUM_THREADS. Call it before computing: LibTorch's default ignores a container's quota. Throws Error
/// when the environment requests an instruction set that is not available.
void use_threads(int64_t threads);

}  // namespace seq2seq
