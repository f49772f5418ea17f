#include "seq2seq/nn/cuda/kernel_sets.h"

#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <link.h>

#include <filesystem>
#include <system_error>

#include "seq2seq/nn/cuda/adaptors.h"

namespace seq2seq {
namespace {

/// The folder of the program, or of the library, that this code is part of.
std::filesystem::path own_folder() {
  Dl_info info{};
  ::link_map* object = nullptr;
  if (::dladdr1(&cuda_kernels, &info, reinterpret_cast<void**>(&object), RTLD_DL_LINKMAP) == 0) return {};
  const bool program = object->l_name[0] == '\0';
  std::error_code unknown;
  return std::filesystem::canonical(program ? "/proc/self/exe" : object->l_name, unknown).parent_path();
}

/// Null if it is not found, is of another version or cannot be used on this machine.
const cuda::Library* opened_library() {
  void* handle = nullptr;
  const auto folder = own_folder();
  if (!folder.empty())
    for (const auto& file : {folder / cuda::library_file, folder.parent_path() / "lib" / cuda::library_file})
      if (handle == nullptr) handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) handle = ::dlopen(cuda::library_file, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return nullptr;
  const auto function = reinterpret_cast<cuda::LibraryFunction*>(::dlsym(handle, cuda::library_function));
  const cuda::Library* library = function == nullptr ? nullptr : function();
  return library != nullptr && library->version == cuda::Library::current_version ? library : nullptr;
}

const cuda::Library* cuda_library() {
  static const cuda::Library* const library = opened_library();
  return library;
}

/// The default stream is the one with this number, and the null stream of CUDA.
constexpr c10::StreamId default_stream = 0;

bool on_default_stream(const Tensor& x) {
  return c10::impl::VirtualGuardImpl(at::kCUDA).getStream(x.device()).id() == default_stream;
}

struct CudaDevice {
  explicit CudaDevice(const Tensor& x) : guard(x.device()) {
    TORCH_CHECK(on_default_stream(x), "CUDA kernels run on the default stream only");
  }
  static bool serves(const Tensor& x) {
    return x.is_cuda() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble) &&
           cuda_library() != nullptr && on_default_stream(x);
  }
  static const cuda::Library& library() { return *cuda_library(); }

  c10::DeviceGuard guard;
  void* stream = nullptr;
};

}  // namespace

constexpr KernelSet cuda_kernels = cuda::Adaptors<CudaDevice>::set("cuda");

}  // namespace seq2seq
