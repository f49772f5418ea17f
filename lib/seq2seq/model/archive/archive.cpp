#include "seq2seq/model/archive/archive.h"

#include <algorithm>

#include "seq2seq/core/error.h"
#include "seq2seq/model/archive/stored_pickle.h"
#include "seq2seq/model/archive/zip_file.h"

namespace seq2seq {
namespace fs = std::filesystem;
namespace {

using Kind = PickledNode::Kind;

[[noreturn]] void refuse_pickle(const fs::path& path, const std::string& name, const PickleError& error) {
  throw Error(path.string(),
              "is not a TorchScript archive, or is damaged (" + name + ": " + error.what() + ")",
              "give a whole archive, as it was written");
}

/// The zip file of an archive that this machine can read, with intact data.
ZipFile opened(const fs::path& path) {
  ZipFile zip(path);
  zip.check_data();
  if (!zip.has("version") && !zip.has(".data/version"))
    throw Error(path.string(), "is not a TorchScript archive, or is damaged (it has no version)",
                "give a whole archive, as it was written");
  if (zip.has("byteorder") && zip.text("byteorder") != "little")
    throw Error(path.string(), "was written by a machine with another order of bytes",
                "save it on one like this");
  return zip;
}

/// Collects the tensors of a module and of those below it.
class ModuleTensors {
 public:
  explicit ModuleTensors(StoredPickle& pickle) : pickle_(pickle) {}

  NamedTensors read() {
    const PickledNode* module = node_of(pickle_.root(), Kind::object);
    if (module == nullptr) throw PickleError("it holds no module");
    collect(*module, "");
    return std::move(tensors_);
  }

 private:
  void collect(const PickledNode& module, const std::string& prefix) {
    const PickledNode* attributes = node_of(module.items.front(), Kind::dictionary);
    if (attributes == nullptr) return;
    for (size_t i = 0; i + 1 < attributes->items.size(); i += 2) {
      const PickledValue &key = attributes->items[i], &value = attributes->items[i + 1];
      const auto* tensor = std::get_if<const PickledTensor*>(&value);
      const PickledNode* inner = node_of(value, Kind::object);
      if (tensor == nullptr && inner == nullptr) continue;
      if (!std::holds_alternative<std::string_view>(key)) throw PickleError("an attribute has no name");
      const std::string name = prefix + std::string(std::get<std::string_view>(key));
      if ((bytes_of_names_ += name.size()) > most_bytes_of_names)
        throw PickleError("the names of its tensors are too long");
      if (tensor != nullptr) tensors_[name] = pickle_.tensor(**tensor);
      if (inner != nullptr) collect(*inner, name + ".");
    }
  }

  static constexpr size_t most_bytes_of_names = size_t{8} << 20;
  StoredPickle& pickle_;
  NamedTensors tensors_;
  size_t bytes_of_names_ = 0;
};

}  // namespace

void check_archive(const fs::path& path) {
  const ZipFile zip = opened(path);
  if (!zip.has("data.pkl") || zip.has("model.json"))
    throw Error(path.string(), "is not a TorchScript archive of LibTorch 1.4 or later", "save it again");
  for (const std::string& name : zip.names()) {
    if (!name.ends_with(".pkl") && !name.ends_with(".debug_pkl")) continue;
    try {
      StoredPickle(zip, name);
    } catch (const PickleError& error) {
      refuse_pickle(path, name, error);
    }
  }
}

Archive read_archive(const fs::path& path, WeightMemory memory) {
  ZipFile zip = opened(path);
  if (memory == WeightMemory::mapped) zip.map();
  Archive archive;
  for (const std::string& name : zip.names()) {
    constexpr std::string_view folder = "extra/";
    if (name.starts_with(folder)) archive.files[name.substr(folder.size())] = zip.text(name);
  }
  try {
    StoredPickle pickle(zip, "data.pkl");
    archive.tensors = ModuleTensors(pickle).read();
  } catch (const PickleError& error) {
    refuse_pickle(path, "data.pkl", error);
  }
  return archive;
}

}  // namespace seq2seq
