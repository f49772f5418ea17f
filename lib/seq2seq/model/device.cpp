#include "seq2seq/model/device.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/DeviceType.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <algorithm>
#include <cstdlib>

#include "seq2seq/core/error.h"
#include "seq2seq/core/processors.h"
#include "seq2seq/nn/engine/capabilities.h"
#include "seq2seq/nn/engine/cuda_settings.h"
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
  if (name == "cpu" || names_device(name, "cuda") || (!backend.empty() && names_device(name, backend)))
    return;
  throw UsageError(
      "--device", "'" + name + "' is unknown",
      "valid: cpu, cuda, cuda:N" + (backend.empty() ? "" : ", " + backend + ", " + backend + ":N"));
}

c10::Device open_device(const std::string& name) {
  check_device_name(name);
  const c10::Device device(name);
  if (device.is_cuda() && !at::hasCUDA())
    throw Error("--device", "no CUDA device can be used here",
                "use --device cpu, or a LibTorch built for CUDA");
  if (device.is_cuda()) set_up_cuda();
  if (!device.is_cpu()) {
    const int count = c10::impl::getDeviceGuardImpl(device.type())->deviceCount();
    if (device.index() >= count)
      throw Error(
          "--device", "there is no " + name,
          count == 1 ? "there is one, number 0" : "they are numbered from 0 to " + std::to_string(count - 1));
  }
  return device;
}

void move_to(torch::nn::Module& module, c10::Device device) {
  const at::NoGradGuard no_grad;
  for (at::Tensor& parameter : module.parameters()) move(parameter, device);
  for (at::Tensor& buffer : module.buffers()) move(buffer, device);
  for (const auto& part : module.modules(/*include_self=*/false))
    if (auto* layer = part->as<RecurrentLayerImpl>()) layer->join_weights();
  if (auto* layer = module.as<RecurrentLayerImpl>()) layer->join_weights();
}

void use_threads(int64_t threads) {
  if (threads == 0) {
    threads = usable_processors();
    const char* variable = std::getenv("OMP_NUM_THREADS");
    if (const int64_t asked = variable == nullptr ? 0 : std::atol(variable); asked > 0)
      threads = std::min(threads, asked);
  }
  at::set_num_threads(static_cast<int>(threads));
  instruction_set();  // throws early if the environment requests one that is not available
}

}  // namespace seq2seq
