#include "seq2seq/model/cuda.h"

#include <ATen/ATen.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <link.h>

#include <array>
#include <filesystem>
#include <mutex>
#include <set>

#include "seq2seq/core/error.h"
#include "seq2seq/nn/engine/cuda_settings.h"

namespace seq2seq {
namespace {

constexpr const char* device_flag = "--device";

/// The part of the driver's interface that is used, as cuda.h declares it; a status of 0 is success.
struct DriverFunctions {
  int (*initialize)(unsigned int flags);
  int (*version)(int* version);
  int (*count)(int* count);
  int (*device)(int* device, int number);
  int (*name)(char* name, int length, int device);
  int (*memory)(size_t* bytes, int device);
  int (*attribute)(int* value, int attribute, int device);
  bool complete = true;

  explicit DriverFunctions(void* library) {
    find(library, "cuInit", initialize);
    find(library, "cuDriverGetVersion", version);
    find(library, "cuDeviceGetCount", count);
    find(library, "cuDeviceGet", device);
    find(library, "cuDeviceGetName", name);
    find(library, "cuDeviceTotalMem_v2", memory);
    find(library, "cuDeviceGetAttribute", attribute);
  }

 private:
  template <class Function>
  void find(void* library, const char* symbol, Function& function) {
    function = reinterpret_cast<Function>(dlsym(library, symbol));
    complete = complete && function != nullptr;
  }
};

Gpu described_gpu(const DriverFunctions& driver, int number) {
  constexpr int capability_major = 75, capability_minor = 76;
  std::array<char, 256> name{};
  int device = 0, major = 0, minor = 0;
  size_t bytes = 0;
  driver.device(&device, number);
  driver.name(name.data(), static_cast<int>(name.size()) - 1, device);
  driver.memory(&bytes, device);
  driver.attribute(&major, capability_major, device);
  driver.attribute(&minor, capability_minor, device);
  return {name.data(), 10 * major + minor, static_cast<int64_t>(bytes)};
}

CudaDriver asked_driver() {
  const std::string or_cpu = "or use --device cpu";
  void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    return {0, {}, "this machine has no NVIDIA driver", "install the driver of its GPU, " + or_cpu};
  const DriverFunctions driver(library);
  if (!driver.complete) return {0, {}, "the NVIDIA driver is too old", "update it, " + or_cpu};
  CudaDriver answer;
  driver.version(&answer.version);
  int count = 0;
  const int status = driver.initialize(0);
  constexpr int no_device = 100;
  if (status == 0) driver.count(&count);
  for (int number = 0; number < count; ++number) answer.gpus.push_back(described_gpu(driver, number));
  if (status != 0 && status != no_device) {
    answer.problem = fmt::format("the NVIDIA driver does not start (CUDA error {})", status);
    answer.remedy = "see whether nvidia-smi works, " + or_cpu;
  } else if (count == 0) {
    answer.problem = "the NVIDIA driver shows no GPU";
    answer.remedy = "look at nvidia-smi and at CUDA_VISIBLE_DEVICES, " + or_cpu;
  }
  return answer;
}

Error driver_too_old(int needed) {
  const int known = cuda_driver().version;
  return {device_flag,
          fmt::format("the NVIDIA driver is too old: it knows CUDA {}.{}, this LibTorch {}", known / 1000,
                      known % 1000 / 10,
                      needed > 0 ? fmt::format("needs {}", needed / 1000) : "needs a newer one"),
          "update the driver, or build with a LibTorch for an older CUDA"};
}

/// A driver serves all versions of CUDA that begin with the same number. The runtime library is loaded with
/// LibTorch itself where that was built for CUDA.
void require_recent_driver() {
  using GetVersion = int (*)(int*);
  const auto get_version = reinterpret_cast<GetVersion>(dlsym(RTLD_DEFAULT, "cudaRuntimeGetVersion"));
  int needed = 0;
  if (get_version == nullptr || get_version(&needed) != 0) return;
  if (cuda_driver().version / 1000 < needed / 1000) throw driver_too_old(needed);
}

/// The folder of the LibTorch that this program runs with.
std::filesystem::path torch_libraries() {
  void* library = dlopen("libtorch_cpu.so", RTLD_LAZY | RTLD_NOLOAD);
  link_map* loaded = nullptr;
  if (library == nullptr || dlinfo(library, RTLD_DI_LINKMAP, static_cast<void*>(&loaded)) != 0) return {};
  return std::filesystem::path(loaded->l_name).parent_path();
}

/// Its run path names the folders of the libraries that it needs in turn.
void load_cuda_libraries() {
  constexpr const char* name = "libtorch_cuda.so";
  const std::filesystem::path beside = torch_libraries() / name;
  std::error_code ignored;
  const bool exists = std::filesystem::exists(beside, ignored);
  // For all to see: what it registers is shared with LibTorch's other libraries.
  if (dlopen(exists ? beside.c_str() : name, RTLD_NOW | RTLD_GLOBAL) != nullptr) return;
  const char* message = dlerror();
  std::string reason = message == nullptr ? "unknown" : message;
  reason = reason.substr(0, reason.find('\n'));
  throw Error(device_flag,
              exists ? fmt::format("LibTorch's CUDA libraries cannot be loaded ({})", reason)
                     : fmt::format("this LibTorch has no CUDA libraries (no {})", beside.string()),
              "run scripts/setup.sh --cuda, or build with a torch that has them");
}

void load_cuda() {
  require_recent_driver();
  load_cuda_libraries();
  require_recent_driver();  // the runtime library may have come only now
  if (!at::globalContext().hasCUDART())
    throw Error(device_flag, "LibTorch was asked for CUDA before its CUDA libraries were loaded",
                "open the device before anything else of LibTorch is called");
  if (!at::hasCUDA())
    throw Error(device_flag, "LibTorch finds no GPU, although the NVIDIA driver does",
                "see whether nvidia-smi finds it in order");
}

/// A product of ones, there and back: what LibTorch says when it fails.
std::string failure_of_product(int64_t number) {
  try {
    const at::Device device(at::kCUDA, static_cast<c10::DeviceIndex>(number));
    const at::Tensor ones = at::ones({16, 16}, at::TensorOptions(at::kFloat).device(device));
    return ones.mm(ones).cpu().eq(16).all().item<bool>() ? "" : "the result is wrong";
  } catch (const std::exception& error) {
    return error.what();
  }
}

void require_product(int64_t number) {
  std::string failure = failure_of_product(number);
  if (failure.empty()) return;
  const auto speaks_of = [&](const char* words) { return failure.find(words) != std::string::npos; };
  const Gpu& gpu = cuda_driver().gpus.at(static_cast<size_t>(number));
  if (speaks_of("driver version is insufficient") || speaks_of("driver on your system is too old"))
    throw driver_too_old(0);
  if (speaks_of("no kernel image") || speaks_of("invalid device function") || speaks_of("ARCH_MISMATCH"))
    throw Error(device_flag,
                fmt::format("this LibTorch was not built for {} (compute capability {}.{})", gpu.name,
                            gpu.capability / 10, gpu.capability % 10),
                "build with a LibTorch that was");
  if (speaks_of("out of memory") || speaks_of("NOT_INITIALIZED") || speaks_of("ALLOC_FAILED"))
    throw Error(device_flag, fmt::format("{} has no memory left", gpu.name),
                "end what else runs there, or name another GPU");
  if (speaks_of("busy or unavailable"))
    throw Error(device_flag, fmt::format("{} is in use by another program alone", gpu.name),
                "wait for its end, or name another GPU");
  failure = failure.substr(0, failure.find('\n'));
  throw Error(device_flag, fmt::format("{} does not compute ({})", gpu.name, failure),
              "see whether nvidia-smi finds it in order");
}

}  // namespace

const CudaDriver& cuda_driver() {
  static const CudaDriver driver = asked_driver();
  return driver;
}

void require_gpu(int64_t number) {
  static std::mutex mutex;
  static std::set<int64_t> found_to_work;
  const std::lock_guard lock(mutex);
  if (found_to_work.contains(number)) return;
  const CudaDriver& driver = cuda_driver();
  if (driver.gpus.empty()) throw Error(device_flag, driver.problem, driver.remedy);
  load_cuda();
  set_up_cuda();
  require_product(number);
  found_to_work.insert(number);
}

std::optional<Error> why_not_gpu(int64_t number) {
  try {
    require_gpu(number);
    return std::nullopt;
  } catch (const Error& failure) {
    return failure;
  }
}

}  // namespace seq2seq
