#pragma once

// Not installed: model.pt, which `save_model` writes, as a kind of model file.

#include <cstdint>
#include <filesystem>
#include <optional>

#include "seq2seq/model/archive/model_readers.h"

namespace seq2seq {

constexpr int64_t archive_format = 1;
constexpr const char* archive_config = "seq2seq.json";  ///< the extra file with its configuration

/// The model.pt that `path` means: itself, that of a checkpoint directory, or that of a run directory (its
/// `best`, else its `last` checkpoint). Nothing when a directory has none.
std::optional<std::filesystem::path> archive_file(const std::filesystem::path& path);

// A row of the readers' table. An archive that is damaged is recognised as well: reading it tells how.
bool is_model_archive(const std::filesystem::path& path);
ImportedModel read_model_archive(const std::filesystem::path& path);

}  // namespace seq2seq
