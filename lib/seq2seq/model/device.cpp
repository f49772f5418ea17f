#include "seq2seq/model/device.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdlib>

#include "seq2seq/core/error.h"
#include "seq2seq/core/processors.h"

namespace seq2seq {

void check_device_name(const std::string& name) {
  const bool known = name == "cpu" || name == "cuda" ||
                     (name.starts_with("cuda:") && name.size() > 5 && name.size() < 8 &&
                      name.find_first_not_of("0123456789", 5) == std::string::npos);
  if (!known) throw UsageError("--device", "'" + name + "' is unknown", "valid: cpu, cuda, cuda:N");
}

c10::Device open_device(const std::string& name) {
  check_device_name(name);
  const c10::Device device(name);
  if (device.is_cuda() && !at::hasCUDA())
    throw Error("--device", "no CUDA device can be used here",
                "use --device cpu, or a LibTorch built for CUDA");
  return device;
}

void use_threads(int64_t threads) {
  if (threads == 0) {
    threads = usable_processors();
    const char* variable = std::getenv("OMP_NUM_THREADS");
    if (const int64_t asked = variable == nullptr ? 0 : std::atol(variable); asked > 0)
      threads = std::min(threads, asked);
  }
  at::set_num_threads(static_cast<int>(threads));
}

}  // namespace seq2seq
