#include "seq2seq/model/archive/archive.h"

#include <ATen/ATen.h>
#include <torch/csrc/jit/frontend/script_type_parser.h>
#include <torch/csrc/jit/serialization/unpickler.h>

#include <cstring>
#include <memory>

#include "seq2seq/core/error.h"
#include "seq2seq/model/archive/zip_file.h"

namespace seq2seq {
namespace fs = std::filesystem;
namespace {

using Object = c10::ivalue::Object;

// Represents an object of the archive, whatever its class: one slot with the dictionary of its attributes.
c10::intrusive_ptr<Object> as_dictionary(const c10::StrongTypePtr& type, at::IValue attributes) {
  auto object = Object::create(c10::StrongTypePtr(type.cu_, type.type_), 1);
  object->setSlot(0, std::move(attributes));
  return object;
}

// Replaces every class of the archive by one without code; containers of plain values keep their types.
c10::StrongTypePtr type_named(const c10::QualifiedName& name) {
  TORCH_CHECK(name.qualifiedName().size() < 200, "a type of too many parts");
  auto unit = std::make_shared<torch::jit::CompilationUnit>();
  if (name.qualifiedName().find('[') != std::string::npos)
    return {std::move(unit), torch::jit::ScriptTypeParser().parseType(name.qualifiedName())};
  auto type = c10::ClassType::create(name, unit, /*is_module=*/true);
  type->addAttribute("attributes", c10::AnyType::get());
  return {std::move(unit), std::move(type)};
}

/// Reads the module's tensors from the pickle, without its classes.
class TensorReader {
 public:
  explicit TensorReader(const ZipFile& zip) : zip_(zip) {}

  NamedTensors read() {
    const std::string pickle = zip_.text("data.pkl");
    size_t at = 0;
    const auto bytes = [&](char* to, size_t wanted) {
      const size_t count = std::min(wanted, pickle.size() - at);
      std::memcpy(to, pickle.data() + at, count);
      at += count;
      return count;
    };
    torch::jit::Unpickler unpickler(
        bytes, type_named, as_dictionary, [this](const std::string& name) { return record(name); }, at::kCPU);
    // LibTorch stores the version elsewhere if the code calls an operation of a later one, such as gelu.
    unpickler.set_version(std::stoull(zip_.text(zip_.has("version") ? "version" : ".data/version")));
    const at::IValue root = unpickler.parse_ivalue();
    TORCH_CHECK(root.isObject(), "not a module");
    collect(root, "", 0);
    return std::move(tensors_);
  }

 private:
  at::DataPtr record(const std::string& name) {
    const uint64_t size = zip_.size("data/" + name);
    at::DataPtr data = c10::GetAllocator(at::kCPU)->allocate(size);
    zip_.read("data/" + name, data.get());
    sizes_[data.get()] = size;
    return data;
  }

  void collect(const at::IValue& value, const std::string& name, int depth) {
    TORCH_CHECK(depth < 100 && ++visited_ < 100'000, "too many modules");
    if (value.isObject()) {
      const at::IValue attributes = value.toObject()->getSlot(0);
      for (const auto& entry : attributes.toGenericDict())
        collect(entry.value(),
                name.empty() ? entry.key().toStringRef() : name + "." + entry.key().toStringRef(), depth + 1);
    } else if (value.isTensor()) {
      tensors_[name] = checked(value.toTensor());
    }
  }

  // The sizes that the pickle declares are untrusted: they must lie within what is stored.
  Tensor checked(const Tensor& tensor) const {
    TORCH_CHECK(tensor.layout() == at::kStrided && !tensor.is_quantized() && tensor.device().is_cpu(),
                "not a plain tensor");
    TORCH_CHECK(tensor.storage_offset() >= 0, "a negative offset");
    for (const int64_t stride : tensor.strides()) TORCH_CHECK(stride >= 0, "a negative stride");
    if (tensor.numel() == 0) return tensor;
    const auto stored = sizes_.find(tensor.storage().data());
    const size_t needed =
        at::detail::computeStorageNbytes(tensor.sizes(), tensor.strides(), tensor.element_size(),
                                         static_cast<size_t>(tensor.storage_offset()));
    TORCH_CHECK(stored != sizes_.end() && needed <= stored->second, "a tensor exceeds what is stored");
    return tensor;
  }

  const ZipFile& zip_;
  std::unordered_map<const void*, uint64_t> sizes_;  // bytes of each record
  NamedTensors tensors_;
  int64_t visited_ = 0;
};

}  // namespace

void check_archive(const fs::path& path) {
  ZipFile(path).check_data();
}

Archive read_archive(const fs::path& path) {
  const ZipFile zip(path);
  zip.check_data();
  Archive archive;
  for (const std::string& name : zip.names()) {
    constexpr std::string_view folder = "extra/";
    if (name.starts_with(folder)) archive.files[name.substr(folder.size())] = zip.text(name);
  }
  try {
    archive.tensors = TensorReader(zip).read();
  } catch (const std::exception&) {  // LibTorch's messages are about its internals
    throw Error(path.string(), "is not a TorchScript archive, or is damaged",
                "give a whole archive, as it was written");
  }
  return archive;
}

}  // namespace seq2seq
