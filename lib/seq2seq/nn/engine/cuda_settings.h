#pragma once

#include <c10/core/Device.h>

namespace seq2seq {

// What LibTorch keeps for the whole process and asks when it computes on a CUDA device. Scopes for another
// device change nothing.

/// To be called before the first product on a CUDA device: products and fused layers compute in float32 until
/// a scope says otherwise, and cuBLAS gets the workspace with which its results are reproducible, unless the
/// environment chooses one.
void set_up_cuda();

/// Whether products and fused layers may round their operands to TF32 (11 significant bits), where the device
/// can.
class Tf32Scope {
 public:
  Tf32Scope(const c10::Device& device, bool allowed);
  ~Tf32Scope();
  Tf32Scope(const Tf32Scope&) = delete;
  Tf32Scope& operator=(const Tf32Scope&) = delete;

 private:
  bool active_, products_ = false, layers_ = false;  // as they were
};

/// Where `wanted`, operations give the same bits each time; one that cannot throws c10::Error.
class DeterministicScope {
 public:
  DeterministicScope(const c10::Device& device, bool wanted);
  ~DeterministicScope();
  DeterministicScope(const DeterministicScope&) = delete;
  DeterministicScope& operator=(const DeterministicScope&) = delete;

 private:
  bool active_, algorithms_ = false, warning_ = false, filling_ = false, layers_ = false, benchmarks_ = false;
};

}  // namespace seq2seq
