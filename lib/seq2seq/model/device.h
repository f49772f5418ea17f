#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <string>

namespace seq2seq {

/// Throws UsageError unless `name` is cpu, cuda or cuda:N.
void check_device_name(const std::string& name);

/// The device of that name. Throws UsageError as above, Error when this LibTorch cannot use it.
c10::Device open_device(const std::string& name);

/// Lets LibTorch use this many processor threads; 0 = one for each core that this process may use, at most
/// OMP_NUM_THREADS. LibTorch's own choice knows nothing of a container's quota: whatever computes calls this
/// first.
void use_threads(int64_t threads);

}  // namespace seq2seq
