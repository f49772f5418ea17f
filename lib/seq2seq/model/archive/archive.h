#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "seq2seq/model/named_tensors.h"

namespace seq2seq {

/// What a TorchScript archive holds beside its code.
struct Archive {
  NamedTensors tensors;                      ///< parameters and buffers, as "encoder.weight"
  std::map<std::string, std::string> files;  ///< the extra files
};

/// Throws Error unless `path` is a zip file that is whole and harmless as such: one folder of entries with
/// plain relative names, no two alike, each of its declared size and checksum; all together not larger than
/// the file and 64 MiB; no comment. Reads the file once and keeps nothing of it.
void check_archive(const std::filesystem::path& path);

/// Reads weights and extra files. Nothing that the archive defines is run or compiled. Throws Error when it
/// is damaged.
Archive read_archive(const std::filesystem::path& path);

}  // namespace seq2seq
