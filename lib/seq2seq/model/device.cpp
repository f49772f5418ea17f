#include "seq2seq/model/device.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/DeviceType.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "seq2seq/core/error.h"
#include "seq2seq/core/log.h"
#include "seq2seq/core/processors.h"
#include "seq2seq/model/cuda.h"
#include "seq2seq/nn/engine/capabilities.h"
#include "seq2seq/nn/layers/recurrent.h"

namespace seq2seq {
namespace {

// Empty if none is registered.
std::string registered_backend() {
  return c10::is_privateuse1_backend_registered() ? c10::get_privateuse1_backend() : "";
}

// `type` alone or followed by :N.
bool names_device(const std::string& name, const std::string& type) {
  if (name == type) return true;
  const std::string number = name.starts_with(type + ":") ? name.substr(type.size() + 1) : "";
  return !number.empty() && number.size() < 3 && number.find_first_not_of("0123456789") == std::string::npos;
}

/// What `auto` means. Silent where there is no GPU.
c10::Device chosen_device() {
  const std::vector<Gpu>& gpus = cuda_driver().gpus;
  std::optional<Error> first_failure;
  for (size_t number = 0; number < gpus.size(); ++number) {
    const std::optional<Error> failure = why_not_gpu(static_cast<int64_t>(number));
    if (!failure) {
      const c10::Device device(at::kCUDA, static_cast<c10::DeviceIndex>(number));
      log_info("device: " + gpus[number].name + " (" + device.str() + ")");
      return device;
    }
    if (!first_failure) first_failure = failure;
  }
  if (first_failure)
    log_info("device: the CPU, not " + gpus.front().name + ": " + first_failure->without_place());
  return at::kCPU;
}

int64_t count_of(c10::DeviceType type) {
  if (type == at::kCUDA) return static_cast<int64_t>(cuda_driver().gpus.size());
  return c10::impl::getDeviceGuardImpl(type)->deviceCount();
}

void move(at::Tensor& tensor, c10::Device device) {
  const at::Tensor moved = tensor.detach().to(device);
  tensor.mutable_grad().reset();
  if (at::_has_compatible_shallow_copy_type(tensor, moved))
    tensor.set_data(moved);
  else  // what set_data does after that check, which knows LibTorch's own devices only
    tensor.unsafeGetTensorImpl()->shallow_copy_from(moved.getIntrusivePtr());
}

}  // namespace

void check_device_name(const std::string& name) {
  const std::string backend = registered_backend();
  if (name == "auto" || name == "cpu" || names_device(name, "cuda") ||
      (!backend.empty() && names_device(name, backend)))
    return;
  throw UsageError(
      "--device", "'" + name + "' is unknown",
      "valid: auto, cpu, cuda, cuda:N" + (backend.empty() ? "" : ", " + backend + ", " + backend + ":N"));
}

c10::Device open_device(const std::string& name) {
  check_device_name(name);
  if (name == "auto") {
    static const c10::Device chosen = chosen_device();
    return chosen;
  }
  const c10::Device device(name);
  if (device.is_cpu()) return device;
  const int64_t count = count_of(device.type());
  if (count > 0 && device.index() >= count)
    throw Error(
        "--device", "there is no " + name,
        count == 1 ? "there is one, number 0" : "they are numbered from 0 to " + std::to_string(count - 1));
  if (device.is_cuda()) require_gpu(std::max<int64_t>(device.index(), 0));
  return device;
}

bool means_cpu(const std::string& name) {
  return name == "cpu" || (name == "auto" && open_device(name).is_cpu());
}

bool means_cuda(const std::string& name) {
  return names_device(name, "cuda") || (name == "auto" && open_device(name).is_cuda());
}

void move_to(torch::nn::Module& module, c10::Device device) {
  const at::NoGradGuard no_grad;
  for (at::Tensor& parameter : module.parameters()) move(parameter, device);
  for (at::Tensor& buffer : module.buffers()) move(buffer, device);
  module.apply([](torch::nn::Module& part) {
    if (auto* layer = part.as<RecurrentLayerImpl>()) layer->join_weights();
  });
}

void use_threads(int64_t threads) {
  if (threads == 0) {
    threads = usable_processors();
    const char* variable = std::getenv("OMP_NUM_THREADS");
    if (const int64_t asked = variable == nullptr ? 0 : std::strtol(variable, nullptr, 10); asked > 0)
      threads = std::min(threads, asked);
  }
  at::set_num_threads(static_cast<int>(threads));
  instruction_set();  // throws early if the environment requests one that is not available
}

}  // namespace seq2seq
