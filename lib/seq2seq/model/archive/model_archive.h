#pragma once

// Not installed: reads model.pt, which `save_model` writes.

#include <cstdint>
#include <filesystem>
#include <optional>

#include "seq2seq/model/archive/model_readers.h"

namespace seq2seq {

constexpr int64_t archive_format = 1;                   ///< of files whose weights are all float32
constexpr int64_t quantized_archive_format = 2;         ///< of others; the newest that is read
constexpr const char* archive_config = "seq2seq.json";  ///< the extra file with the configuration
constexpr const char* weights_key = "weights";  ///< in it, the format of weights, if it is not float32

/// The model.pt that `path` refers to: itself, that of a checkpoint directory, or that of a run directory
/// (its `best`, else its `last` checkpoint). Nothing if a directory has none.
std::optional<std::filesystem::path> archive_file(const std::filesystem::path& path);

// An entry of model_readers(). Damaged archives are recognised as well: reading them reports the damage.
bool is_model_archive(const std::filesystem::path& path);
ImportedModel read_model_archive(const std::filesystem::path& path, WeightMemory memory);

}  // namespace seq2seq
