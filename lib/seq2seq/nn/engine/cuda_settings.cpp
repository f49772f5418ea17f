#include "seq2seq/nn/engine/cuda_settings.h"

#include <ATen/Context.h>

#include <cstdlib>

namespace seq2seq {
namespace {

void allow_tf32(bool in_products, bool in_layers) {
  at::globalContext().setAllowTF32CuBLAS(in_products);
  at::globalContext().setAllowTF32CuDNN(in_layers);
}

}  // namespace

void set_up_cuda() {
  setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  allow_tf32(false, false);
}

Tf32Scope::Tf32Scope(const c10::Device& device, bool allowed) : active_(device.is_cuda()) {
  if (!active_) return;
  products_ = at::globalContext().allowTF32CuBLAS();
  layers_ = at::globalContext().allowTF32CuDNN();
  allow_tf32(allowed, allowed);
}

Tf32Scope::~Tf32Scope() {
  if (active_) allow_tf32(products_, layers_);
}

DeterministicScope::DeterministicScope(const c10::Device& device, bool wanted)
    : active_(wanted && device.is_cuda()) {
  if (!active_) return;
  at::Context& context = at::globalContext();
  algorithms_ = context.deterministicAlgorithms();
  warning_ = context.deterministicAlgorithmsWarnOnly();
  filling_ = context.deterministicFillUninitializedMemory();
  layers_ = context.deterministicCuDNN();
  benchmarks_ = context.benchmarkCuDNN();
  context.setDeterministicAlgorithms(true, /*warn_only=*/false);
  context.setDeterministicFillUninitializedMemory(false);  // nothing reads what nothing has written
  context.setDeterministicCuDNN(true);
  context.setBenchmarkCuDNN(false);
}

DeterministicScope::~DeterministicScope() {
  if (!active_) return;
  at::Context& context = at::globalContext();
  context.setDeterministicAlgorithms(algorithms_, warning_);
  context.setDeterministicFillUninitializedMemory(filling_);
  context.setDeterministicCuDNN(layers_);
  context.setBenchmarkCuDNN(benchmarks_);
}

}  // namespace seq2seq
