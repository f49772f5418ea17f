#include "shadow_device.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/EmptyTensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <sys/mman.h>
#include <torch/library.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <mutex>
#include <string_view>
#include <unordered_map>

namespace seq2seq::test {
namespace {

using at::Tensor;

constexpr auto shadow_type = c10::DeviceType::PrivateUse1;
constexpr const char* shadow_name = "shadow";

c10::Device shadow() {
  return {shadow_type, 0};
}

std::atomic<int64_t> synchronisation_count = 0, copy_count = 0;

/// All memory of the device, as two address ranges of equal size: the one that tensors know, which the CPU
/// must not access, and the memory itself, which operations use.
class DeviceMemory {
 public:
  DeviceMemory() : addresses_(reserve(PROT_NONE)), memory_(reserve(PROT_READ | PROT_WRITE)) {}

  void* make(size_t bytes) {
    const size_t whole = (bytes + alignment - 1) / alignment * alignment;
    const std::lock_guard lock(mutex_);
    auto& free = free_[whole];
    void* block = addresses_ + used_;
    if (!free.empty()) {
      block = free.back();
      free.pop_back();
    } else {
      TORCH_CHECK(used_ + whole <= size, "the shadow device has no more memory");
      used_ += whole;
    }
    sizes_[block] = whole;
    return block;
  }
  void free(void* block) {
    const std::lock_guard lock(mutex_);
    const auto found = sizes_.find(block);
    free_[found->second].push_back(block);
    sizes_.erase(found);
  }
  /// The memory for an address that a tensor knows.
  void* at(const void* address) const {
    return address == nullptr ? nullptr : memory_ + (static_cast<const char*>(address) - addresses_);
  }

 private:
  static constexpr size_t size = size_t{1} << 34, alignment = 64;

  static char* reserve(int protection) {
    void* range = mmap(nullptr, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    TORCH_CHECK(range != MAP_FAILED, "no addresses for the shadow device");
    return static_cast<char*>(range);
  }

  char *addresses_, *memory_;
  size_t used_ = 0;
  std::mutex mutex_;
  std::unordered_map<void*, size_t> sizes_;
  std::unordered_map<size_t, std::vector<void*>> free_;  // by size
};

// Never destroyed: tensors with static storage may be destroyed later.
DeviceMemory& memory() {
  static auto* const all = new DeviceMemory;
  return *all;
}

bool on_shadow(const Tensor& tensor) {
  return tensor.defined() && tensor.device().type() == shadow_type;
}

class ShadowAllocator : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    void* block = bytes == 0 ? nullptr : memory().make(bytes);
    return {block, block, &free, shadow()};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &free; }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    std::memcpy(memory().at(to), memory().at(from), bytes);
  }

 private:
  static void free(void* block) {
    if (block != nullptr) memory().free(block);
  }
};

ShadowAllocator& allocator() {
  static auto* const only = new ShadowAllocator;
  return *only;
}

/// One device with one synchronous stream.
class ShadowGuard : public c10::impl::DeviceGuardImplInterface {
 public:
  c10::DeviceType type() const override { return shadow_type; }
  c10::Device exchangeDevice(c10::Device) const override { return shadow(); }
  c10::Device getDevice() const override { return shadow(); }
  void setDevice(c10::Device) const override {}
  void uncheckedSetDevice(c10::Device) const noexcept override {}
  c10::Stream getStream(c10::Device device) const override { return only_stream(device); }
  c10::Stream getNewStream(c10::Device device, int) const override { return only_stream(device); }
  c10::Stream exchangeStream(c10::Stream stream) const override { return stream; }
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }
  void record(void**, const c10::Stream&, c10::DeviceIndex, c10::EventFlag) const override {}
  void block(void*, const c10::Stream&) const override {}
  bool queryEvent(void*) const override { return true; }
  void destroyEvent(void*, c10::DeviceIndex) const noexcept override {}
  bool queryStream(const c10::Stream&) const override { return true; }
  void synchronizeStream(const c10::Stream&) const override {}

 private:
  static c10::Stream only_stream(c10::Device device) { return c10::Stream(c10::Stream::DEFAULT, device); }
};

void grow(const c10::Storage& storage, size_t bytes) {
  c10::DataPtr larger = allocator().allocate(bytes);
  if (const size_t kept = std::min(bytes, storage.nbytes()); kept > 0)
    allocator().copy_data(larger.get(), storage.data(), kept);
  storage.unsafeGetStorageImpl()->set_data_ptr_noswap(std::move(larger));
  storage.unsafeGetStorageImpl()->set_nbytes(bytes);
}

class ShadowHooks : public at::PrivateUse1HooksInterface {
 public:
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return 1; }
  c10::DeviceIndex getCurrentDevice() const override { return 0; }
  // For at::manual_seed, which seeds every device; nothing samples from it.
  const at::Generator& getDefaultGenerator(c10::DeviceIndex) const override {
    static const at::Generator unused = at::detail::createCPUGenerator();
    return unused;
  }
  void resizePrivateUse1Bytes(const c10::Storage& storage, size_t bytes) const override {
    grow(storage, bytes);
  }
};

/// A CPU tensor in the same memory, which must outlive it.
Tensor alias_of(const Tensor& tensor) {
  c10::Storage storage(c10::Storage::use_byte_size_t{}, tensor.storage().nbytes(),
                       c10::DataPtr(memory().at(tensor.storage().data()), c10::Device(c10::kCPU)),
                       /*allocator=*/nullptr,
                       /*resizable=*/false);
  const Tensor alias = at::detail::make_tensor<c10::TensorImpl>(
      std::move(storage), c10::DispatchKeySet(c10::DispatchKey::CPU), tensor.dtype());
  alias.unsafeGetTensorImpl()->set_sizes_and_strides(tensor.sizes(), tensor.strides(),
                                                     tensor.storage_offset());
  if (tensor.dim() == 0)
    alias.unsafeGetTensorImpl()->set_wrapped_number(tensor.unsafeGetTensorImpl()->is_wrapped_number());
  return alias;
}

Tensor empty_strided(at::IntArrayRef sizes, at::IntArrayRef strides, std::optional<at::ScalarType> type,
                     std::optional<at::Layout>, std::optional<at::Device>, std::optional<bool>) {
  return at::detail::empty_strided_generic(sizes, strides, &allocator(),
                                           c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
                                           c10::dtype_or_default(type));
}

Tensor empty(at::IntArrayRef sizes, std::optional<at::ScalarType> type, std::optional<at::Layout>,
             std::optional<at::Device>, std::optional<bool>, std::optional<at::MemoryFormat> format) {
  return at::detail::empty_generic(sizes, &allocator(), c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
                                   c10::dtype_or_default(type), format);
}

/// Copies between any devices, without counting.
void copy_values(const Tensor& from, const Tensor& to) {
  if (from.numel() == 0) return;
  const Tensor target = on_shadow(to) ? alias_of(to) : to;
  target.copy_(on_shadow(from) ? alias_of(from) : from);
}

Tensor copy_from(const Tensor& from, const Tensor& to, bool) {
  if (!on_shadow(to)) ++synchronisation_count;
  if (!on_shadow(from)) ++copy_count;
  copy_values(from, to);
  return to;
}

const Tensor& resize(const Tensor& tensor, at::IntArrayRef sizes, std::optional<at::MemoryFormat>) {
  tensor.unsafeGetTensorImpl()->set_sizes_contiguous(sizes);
  const auto needed = static_cast<size_t>(tensor.numel() + tensor.storage_offset()) * tensor.itemsize();
  if (needed > tensor.storage().nbytes()) grow(tensor.storage(), needed);
  return tensor;  // NOLINT(bugprone-return-const-ref-from-parameter): the contract of aten::resize_
}

Tensor copy_from_and_resize(const Tensor& from, const Tensor& to) {
  if (from.sizes() != to.sizes()) to.resize_(from.sizes());
  return copy_from(from, to, false);
}

at::Scalar local_scalar(const Tensor& tensor) {
  ++synchronisation_count;
  return alias_of(tensor).item();
}

Tensor& set_storage(Tensor& tensor, at::Storage storage, int64_t offset, at::IntArrayRef sizes,
                    at::IntArrayRef strides) {
  tensor.unsafeGetTensorImpl()->set_storage_keep_dtype(std::move(storage));
  tensor.unsafeGetTensorImpl()->set_sizes_and_strides(sizes, strides, offset);
  return tensor;
}

/// LibTorch's LSTM cell calls this on devices other than the CPU. Gates in torch's order: input, forget,
/// cell, output; the workspace [N, 4H] holds the activated gates.
std::tuple<Tensor, Tensor, Tensor> lstm_cell(const Tensor& input_gates, const Tensor& hidden_gates,
                                             const Tensor& cell_before,
                                             const std::optional<Tensor>& input_bias,
                                             const std::optional<Tensor>& hidden_bias) {
  Tensor gates = input_gates + hidden_gates;
  for (const auto& bias : {input_bias, hidden_bias})
    if (bias && bias->defined()) gates = gates + *bias;
  const auto parts = gates.chunk(4, 1);
  const Tensor input = parts[0].sigmoid(), forget = parts[1].sigmoid(), candidate = parts[2].tanh(),
               output = parts[3].sigmoid();
  const Tensor cell = forget * cell_before + input * candidate;
  return {output * cell.tanh(), cell, at::cat({input, forget, candidate, output}, 1)};
}

std::tuple<Tensor, Tensor, Tensor> lstm_cell_backward(const std::optional<Tensor>& hidden_gradient,
                                                      const std::optional<Tensor>& cell_gradient,
                                                      const Tensor& cell_before, const Tensor& cell,
                                                      const Tensor& workspace, bool has_bias) {
  const auto given = [&](const std::optional<Tensor>& gradient) {
    return gradient && gradient->defined() ? *gradient : at::zeros_like(cell);
  };
  const auto parts = workspace.chunk(4, 1);
  const Tensor &input = parts[0], &forget = parts[1], &candidate = parts[2], &output = parts[3];
  const Tensor active = cell.tanh(), dhidden = given(hidden_gradient);
  const Tensor dcell = given(cell_gradient) + dhidden * output * (1 - active * active);
  const Tensor dgates =
      at::cat({dcell * candidate * input * (1 - input), dcell * cell_before * forget * (1 - forget),
               dcell * input * (1 - candidate * candidate), dhidden * active * output * (1 - output)},
              1);
  return {dgates, dcell * forget, has_bias ? dgates.sum(0) : Tensor()};
}

/// One CPU operation on tensors of the shadow device.
class Operation {
 public:
  Operation(const c10::OperatorHandle& handle, torch::jit::Stack& stack) : handle_(handle), stack_(stack) {}

  void run() {
    const auto& schema = handle_.schema();
    if (waits(schema.name())) ++synchronisation_count;
    arguments_ = torch::jit::pop(stack_, schema.arguments().size());
    torch::jit::Stack values;
    for (size_t i = 0; i < arguments_.size(); ++i) values.push_back(on_cpu(i));
    {
      const at::AutoDispatchBelowADInplaceOrView below;
      handle_.callBoxed(&values);
    }
    for (const auto& [to, from] : written_) bring_back(from, to);
    for (size_t i = 0; i < values.size(); ++i) stack_.push_back(result(schema.returns()[i], values[i]));
  }

 private:
  // Whether the size of its results depends on values, so that an accelerator is synchronized.
  bool waits(std::string_view name) const {
    constexpr std::array<std::string_view, 9> names{
        "aten::nonzero",  "aten::masked_select",      "aten::_unique",
        "aten::_unique2", "aten::unique_dim",         "aten::equal",
        "aten::bincount", "aten::unique_consecutive", "aten::repeat_interleave"};
    return std::find(names.begin(), names.end(), name) != names.end();
  }

  c10::IValue on_cpu(size_t index) {
    const c10::IValue& argument = arguments_[index];
    if (argument.isTensor()) return single(handle_.schema().arguments()[index], argument.toTensor());
    if (argument.isTensorList()) {
      c10::List<Tensor> list;
      for (const Tensor& tensor : argument.toTensorVector()) list.push_back(listed(tensor));
      return list;
    }
    if (argument.isOptionalTensorList()) {
      c10::List<std::optional<Tensor>> list;
      for (const std::optional<Tensor>& tensor : argument.toOptionalTensorVector())
        list.push_back(tensor ? std::optional(listed(*tensor)) : tensor);
      return list;
    }
    if (argument.isDevice()) return c10::Device(c10::kCPU);
    TORCH_CHECK(!argument.isGenerator(), name(), " on the shadow device was given a generator of the CPU");
    return argument;
  }

  Tensor single(const c10::Argument& declared, const Tensor& tensor) {
    if (!on_shadow(tensor)) {
      TORCH_CHECK(!tensor.defined() || tensor.dim() == 0, name(),
                  " on the shadow device was given a tensor of the CPU, of sizes ", tensor.sizes());
      return tensor;
    }
    Tensor value = alias(tensor);
    if (declared.alias_info() != nullptr && declared.alias_info()->isWrite()) {
      // An empty output may be resized, which an alias cannot be.
      if (declared.is_out() && tensor.numel() == 0) value = at::detail::empty_cpu({0}, tensor.scalar_type());
      written_.emplace_back(tensor, value);
    }
    return value;
  }

  Tensor listed(const Tensor& tensor) {
    TORCH_CHECK(!tensor.defined() || on_shadow(tensor), name(),
                " on the shadow device was given a list with a tensor of the CPU");
    if (!tensor.defined()) return tensor;
    // A mask is converted to indices first. (Reading with a mask calls `nonzero` for that.)
    if (name() == "aten::_index_put_impl_" && tensor.scalar_type() == at::kBool) ++synchronisation_count;
    return alias(tensor);
  }

  Tensor alias(const Tensor& tensor) {
    used_.push_back(memory().at(tensor.storage().data()));
    return alias_of(tensor);
  }

  static void bring_back(const Tensor& value, const Tensor& to) {
    if (value.sizes() != to.sizes()) to.resize_(value.sizes());
    if (value.storage().data() != memory().at(to.storage().data())) copy_values(value, to);
  }

  c10::IValue result(const c10::Argument& declared, const c10::IValue& value) {
    if (const auto* written = declared.alias_info(); written != nullptr && written->isWrite())
      for (size_t i = 0; i < arguments_.size(); ++i)
        if (const auto* info = handle_.schema().arguments()[i].alias_info();
            info != nullptr && *info == *written)
          return arguments_[i];
    if (value.isTensor()) return on_device(value.toTensor());
    if (!value.isTensorList()) return value;
    c10::List<Tensor> list;
    for (const Tensor& tensor : value.toTensorVector()) list.push_back(on_device(tensor));
    return list;
  }

  Tensor on_device(const Tensor& value) const {
    if (!value.defined()) return value;
    const bool view = std::find(used_.begin(), used_.end(), value.storage().data()) != used_.end();
    TORCH_CHECK(value.numel() == 0 || !view, name(),
                " gives a view, for which the shadow device has no kernel");
    const Tensor tensor = empty_strided(value.sizes(), value.strides(), value.scalar_type(), {}, {}, {});
    copy_values(value, tensor);
    return tensor;
  }

  const std::string& name() const { return handle_.schema().name(); }

  const c10::OperatorHandle& handle_;
  torch::jit::Stack& stack_;
  std::vector<c10::IValue> arguments_;
  std::vector<std::pair<Tensor, Tensor>> written_;  // device tensor, CPU tensor
  std::vector<const void*> used_;                   // memory of the arguments
};

void run_on_cpu(const c10::OperatorHandle& handle, torch::jit::Stack* stack) {
  Operation(handle, *stack).run();
}

// Never unregistered: the order in which the libraries involved are unloaded is not known.
void install() {
  c10::register_privateuse1_backend(shadow_name);
  c10::SetAllocator(shadow_type, &allocator());
  at::RegisterPrivateUse1HooksInterface(new ShadowHooks);
  static const c10::impl::DeviceGuardImplRegistrar guard(shadow_type, new ShadowGuard);
  static auto* const everything =
      new torch::Library(torch::Library::IMPL, "_", c10::DispatchKey::PrivateUse1, __FILE__, __LINE__);
  everything->fallback(torch::CppFunction::makeFromBoxedFunction<&run_on_cpu>());
  static auto* const kernels =
      new torch::Library(torch::Library::IMPL, "aten", c10::DispatchKey::PrivateUse1, __FILE__, __LINE__);
  kernels->impl("empty.memory_format", &empty);
  kernels->impl("empty_strided", &empty_strided);
  kernels->impl("as_strided", &at::native::as_strided_tensorimpl);
  kernels->impl("view", &at::native::view);
  kernels->impl("_reshape_alias", &at::native::_reshape_alias);
  kernels->impl("_copy_from", &copy_from);
  kernels->impl("_copy_from_and_resize", &copy_from_and_resize);
  kernels->impl("_local_scalar_dense", &local_scalar);
  kernels->impl("set_.source_Storage_storage_offset", &set_storage);
  kernels->impl("resize_", &resize);
  kernels->impl("_thnn_fused_lstm_cell", &lstm_cell);
  kernels->impl("_thnn_fused_lstm_cell_backward_impl", &lstm_cell_backward);
}

// The library that is preloaded has nothing of seq2seq.
at::Device cuda_device() {
#ifndef SHADOW_DEVICE_ALONE
  try {
    return open_device("cuda:0");  // with the index that its tensors have
  } catch (const std::exception& error) {
    std::cerr << "SEQ2SEQ_TEST_DEVICE: " << error.what() << std::endl;
  }
#endif
  std::_Exit(2);
}

at::Device wanted_device() {
  const char* value = std::getenv("SEQ2SEQ_TEST_DEVICE");
  const std::string name = value == nullptr ? "" : value;
  if (name.empty() || name == "cpu") return at::kCPU;
  if (name == shadow_name) {
    install();
    return shadow();
  }
  if (name != "cuda") {
    std::cerr << "SEQ2SEQ_TEST_DEVICE: '" << name << "' is unknown; valid: cpu, cuda, " << shadow_name
              << std::endl;
    std::_Exit(2);
  }
  return cuda_device();
}

// Before the first backward pass, in which autograd counts the devices.
[[maybe_unused]] const at::Device opened_at_start = test_device();

}  // namespace

at::Device test_device() {
  static const at::Device wanted = wanted_device();
  return wanted;
}

at::TensorOptions on_device(at::ScalarType type) {
  return at::TensorOptions(type).device(test_device());
}

at::Tensor on_device(const at::Tensor& tensor) {
  return tensor.to(test_device());
}

bool on_shadow_device() {
  return test_device().type() == shadow_type;
}

int64_t synchronisations() {
  return synchronisation_count;
}

int64_t copies_to_device() {
  return copy_count;
}

}  // namespace seq2seq::test
