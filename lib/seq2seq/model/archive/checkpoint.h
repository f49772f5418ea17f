#pragma once

#include <filesystem>

#include "seq2seq/model/translation_model.h"

namespace seq2seq {

/// model.pt, of a model on the CPU: one TorchScript archive with the weights as named parameters and, as
/// extra files, the configuration, vocabularies, subword models and provenance. Written whole or not at all.
/// docs/formats.md describes it.
void save_model(const TranslationModel& model, const std::filesystem::path& path);

/// `path`: a model.pt, a checkpoint directory, or a run directory (its `best`, else its `last` checkpoint).
/// Throws Error in one line for what is missing, damaged, of an unknown kind or written by a newer version.
/// Runs nothing that the file defines.
TranslationModel load_model(const std::filesystem::path& path, const at::Device& device = at::kCPU);
/// The model.pt that `load_model` would read.
std::filesystem::path find_model_file(const std::filesystem::path& path);

}  // namespace seq2seq
