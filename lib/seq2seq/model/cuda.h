#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "seq2seq/core/error.h"

namespace seq2seq {

/// A GPU as the driver describes it.
struct Gpu {
  std::string name;
  int capability = 0;  ///< its compute capability; 9.0 is 90
  int64_t memory = 0;  ///< in bytes
};

/// What NVIDIA's driver says of this machine.
struct CudaDriver {
  int version = 0;           ///< the newest CUDA that it knows; 13.2 is 13020
  std::vector<Gpu> gpus;     ///< in the order of their numbers
  std::string problem = {};  ///< why there are none
  std::string remedy = {};
};

/// Asked once, without LibTorch: where there is no driver, nothing is loaded.
const CudaDriver& cuda_driver();

/// Loads the CUDA part of LibTorch, which no program is linked to, and computes a product on one of the
/// driver's GPUs. Throws Error when there is none, libraries are missing, or driver or GPU are too old for
/// them. Must come before anything that asks LibTorch for CUDA, since it remembers the answer.
void require_gpu(int64_t number);
/// The same as an answer: none when that GPU computes.
std::optional<Error> why_not_gpu(int64_t number);

}  // namespace seq2seq
