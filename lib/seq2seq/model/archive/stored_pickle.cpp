#include "seq2seq/model/archive/stored_pickle.h"

#include <ATen/ATen.h>

#include <memory>
#include <optional>

namespace seq2seq {
namespace {

constexpr std::string_view pickle_ending = ".pkl";

std::string folder_of(const std::string& pickle) {
  return pickle.substr(0, pickle.size() - pickle_ending.size()) + "/";
}

/// The bytes of an entry: where they are mapped, or a copy.
at::DataPtr data_of(const ZipFile& zip, const std::string& entry, uint64_t bytes) {
  if (const ZipFile::Mapped mapped = zip.mapped(entry); mapped.file && bytes > 0) {
    using Owner = std::shared_ptr<const MappedFile>;
    return {const_cast<std::byte*>(mapped.data), new Owner(mapped.file),
            [](void* owner) { delete static_cast<Owner*>(owner); }, at::kCPU};
  }
  at::DataPtr data = c10::GetAllocator(at::kCPU)->allocate(bytes);
  zip.read(entry, data.get());
  return data;
}

}  // namespace

StoredPickle::StoredPickle(const ZipFile& zip, const std::string& name)
    : zip_(zip),
      folder_(folder_of(name)),
      pickle_(
          zip.text(name),
          [&](std::string_view storage) -> std::optional<uint64_t> {
            const std::string entry = folder_ + std::string(storage);
            return zip.has(entry) ? std::optional(zip.size(entry)) : std::nullopt;
          },
          zip.file_bytes()) {}

Tensor StoredPickle::tensor(const PickledTensor& description) {
  const PickledStorage& stored = *description.storage;
  if (c10::isQIntType(stored.type)) throw PickleError("it holds quantized tensors");
  auto found = storages_.find(stored.name);
  if (found == storages_.end()) {
    at::DataPtr data = data_of(zip_, folder_ + std::string(stored.name), stored.bytes);
    found =
        storages_
            .emplace(stored.name, at::Storage(at::Storage::use_byte_size_t(), stored.bytes, std::move(data),
                                              /*allocator=*/nullptr, /*resizable=*/false))
            .first;
  }
  return at::empty({0}, at::TensorOptions(stored.type))
      .set_(found->second, description.offset, description.sizes, description.strides);
}

}  // namespace seq2seq
