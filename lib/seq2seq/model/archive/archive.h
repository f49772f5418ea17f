#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "seq2seq/model/archive/weight_memory.h"
#include "seq2seq/model/named_tensors.h"

namespace seq2seq {

/// The contents of a TorchScript archive except its code.
struct Archive {
  NamedTensors tensors;                      ///< parameters and buffers: "encoder.weight"
  std::map<std::string, std::string> files;  ///< extra files by name
};

/// Throws Error unless `path` is an intact and harmless archive: a zip file with all entries in one folder, with
/// distinct plain relative names, the declared sizes and valid checksums, together not larger than the file plus
/// 16 MiB; nothing but code compressed; no comment; and its pickles hold data alone (pickle.h). Keeps nothing of it.
void check_archive(const std::filesystem::path& path);

/// Reads weights and extra files, without running or compiling anything that the archive defines. Throws
/// Error if it is damaged.
Archive read_archive(const std::filesystem::path& path, WeightMemory memory = WeightMemory::own);

}  // namespace seq2seq
