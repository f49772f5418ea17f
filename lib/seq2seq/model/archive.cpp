#include "seq2seq/model/archive.h"

#include <ATen/ATen.h>
#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/frontend/script_type_parser.h>
#include <torch/csrc/jit/serialization/import_read.h>
#include <zip.h>

#include <memory>
#include <unordered_set>
#include <vector>

#include "seq2seq/core/error.h"
#include "seq2seq/core/log.h"

namespace seq2seq {
namespace fs = std::filesystem;
namespace {

constexpr int64_t most_entries = 100'000;
constexpr uint64_t compression_allowance = uint64_t{64} << 20;  // only code is compressed

[[noreturn]] void refuse(const fs::path& path, const std::string& problem) {
  throw Error(path.string(), problem, "give a model.pt written by seq2seq train, whole");
}

// Of an entry's name: it must lead nowhere when somebody unpacks the archive.
bool is_plain(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.find_first_of("\\:") != std::string_view::npos)
    return false;
  for (const char c : name)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  for (size_t begin = 0; begin <= name.size();) {
    const size_t end = std::min(name.find('/', begin), name.size());
    if (name.substr(begin, end - begin) == "..") return false;
    begin = end + 1;
  }
  return true;
}

void check_entry(const fs::path& path, zip_t* archive, const zip_stat_t& entry, std::vector<char>& buffer) {
  const std::string name = "its entry '" + std::string(entry.name) + "'";
  const std::unique_ptr<zip_file_t, decltype(&zip_fclose)> file(zip_fopen_index(archive, entry.index, 0),
                                                                &zip_fclose);
  if (!file) refuse(path, name + " cannot be read");
  uint64_t size = 0;
  zip_int64_t read = 0;
  while ((read = zip_fread(file.get(), buffer.data(), buffer.size())) > 0)
    size += static_cast<uint64_t>(read);
  if (read < 0 || size != entry.size) refuse(path, name + " is damaged");  // libzip compares the checksum
}

using Object = c10::ivalue::Object;

// Stands for an object of the archive, whatever its class: one slot with the dictionary of its attributes.
c10::intrusive_ptr<Object> as_dictionary(const c10::StrongTypePtr& type, at::IValue attributes) {
  auto object = Object::create(c10::StrongTypePtr(type.cu_, type.type_), 1);
  object->setSlot(0, std::move(attributes));
  return object;
}

// Every class of the archive is this one, without code; containers of plain values are themselves.
c10::StrongTypePtr type_named(const c10::QualifiedName& name) {
  auto unit = std::make_shared<torch::jit::CompilationUnit>();
  if (name.qualifiedName().find('[') != std::string::npos)
    return {std::move(unit), torch::jit::ScriptTypeParser().parseType(name.qualifiedName())};
  auto type = c10::ClassType::create(name, unit, /*is_module=*/true);
  type->addAttribute("attributes", c10::AnyType::get());
  return {std::move(unit), std::move(type)};
}

void collect(const at::IValue& value, const std::string& name, int depth, Archive& archive) {
  TORCH_CHECK(depth < 100, "modules nest too deep");
  if (value.isObject()) {
    const at::IValue attributes = value.toObject()->getSlot(0);
    for (const auto& entry : attributes.toGenericDict())
      collect(entry.value(),
              name.empty() ? entry.key().toStringRef() : name + "." + entry.key().toStringRef(), depth + 1,
              archive);
  } else if (value.isTensor()) {
    const Tensor tensor = value.toTensor();
    TORCH_CHECK(tensor.layout() == at::kStrided && !tensor.is_quantized() && tensor.device().is_cpu(),
                "not a plain tensor");
    // The pickle declares sizes and strides freely: they must lie within what was stored.
    const size_t needed = at::detail::computeStorageNbytes(tensor.sizes(), tensor.strides(),
                                                           tensor.element_size(), tensor.storage_offset());
    TORCH_CHECK(tensor.storage_offset() >= 0 && (tensor.numel() == 0 || needed <= tensor.storage().nbytes()),
                "a tensor exceeds its storage");
    for (const int64_t stride : tensor.strides()) TORCH_CHECK(stride >= 0, "a negative stride");
    archive.tensors[name] = tensor;
  }
}

}  // namespace

void check_archive(const fs::path& path) {
  if (!fs::is_regular_file(path)) refuse(path, "is not a file");
  if (fs::file_size(path) == 0) refuse(path, "is empty");
  int error = 0;
  const std::unique_ptr<zip_t, decltype(&zip_discard)> archive(
      zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &error), &zip_discard);
  if (!archive) refuse(path, "is not a TorchScript archive, or is damaged");
  const zip_int64_t entries = zip_get_num_entries(archive.get(), 0);
  if (entries > most_entries) refuse(path, "has " + format_count(entries) + " entries, which no model has");
  const uint64_t allowed = fs::file_size(path) + compression_allowance;
  uint64_t total = 0;
  std::unordered_set<std::string_view> names;
  std::vector<zip_stat_t> all(static_cast<size_t>(entries));
  for (zip_int64_t i = 0; i < entries; ++i) {
    zip_stat_t& entry = all[static_cast<size_t>(i)];
    zip_stat_init(&entry);
    constexpr zip_uint64_t needed = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
    if (zip_stat_index(archive.get(), static_cast<zip_uint64_t>(i), 0, &entry) != 0 ||
        (entry.valid & needed) != needed)
      refuse(path, "is not a TorchScript archive, or is damaged");
    if (!is_plain(entry.name)) refuse(path, "has an entry whose name leads out of the archive");
    if (!names.insert(entry.name).second) refuse(path, "has two entries of one name");
    if (entry.comp_method != ZIP_CM_STORE && entry.comp_method != ZIP_CM_DEFLATE)
      refuse(path, "has an entry in a compression that TorchScript does not use");
    if (entry.size > allowed || (total += entry.size) > allowed)
      refuse(path, "declares more data than a file of its size can hold");
  }
  std::vector<char> buffer(size_t{1} << 16);
  for (const zip_stat_t& entry : all) check_entry(path, archive.get(), entry, buffer);
}

Archive read_archive(const fs::path& path) {
  check_archive(path);
  Archive archive;
  try {
    caffe2::serialize::PyTorchStreamReader reader(path.string());
    for (const std::string& name : reader.getAllRecords()) {
      constexpr std::string_view folder = "extra/";
      if (!name.starts_with(folder)) continue;
      const auto [data, size] = reader.getRecord(name);
      archive.files[name.substr(folder.size())] = std::string(static_cast<const char*>(data.get()), size);
    }
    const at::IValue root =
        torch::jit::readArchiveAndTensors("data", "", "data/", type_named, as_dictionary, at::kCPU, reader);
    TORCH_CHECK(root.isObject(), "not a module");
    collect(root, "", 0, archive);
  } catch (const std::exception&) {  // LibTorch's reasons speak of its own internals
    refuse(path, "is not a TorchScript archive, or is damaged");
  }
  return archive;
}

}  // namespace seq2seq
