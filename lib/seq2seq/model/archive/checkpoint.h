#pragma once

#include <filesystem>

#include "seq2seq/model/archive/weight_memory.h"
#include "seq2seq/model/translation_model.h"

namespace seq2seq {

/// Writes a model on the CPU to a model.pt, atomically: a TorchScript archive with the weights as parameters
/// and, as extra files, configuration, vocabularies, subword models and provenance (docs/formats.md). Quantized
/// weights are stored as they are.
void save_model(const TranslationModel& model, const std::filesystem::path& path);

/// `path`: a model.pt, a checkpoint directory, or a run directory (its `best`, else its `last` checkpoint).
/// Throws a one-line Error if something is missing, damaged, of an unknown kind or written by a newer
/// version. Runs nothing that the file defines. With `mapped` on a CPU the parameters of quantized weights have no values
/// before `restore_values`; `weight_store` needs none.
TranslationModel load_model(const std::filesystem::path& path, const at::Device& device = at::kCPU,
                            WeightMemory memory = WeightMemory::own);
/// The model.pt that `load_model` would read.
std::filesystem::path find_model_file(const std::filesystem::path& path);

}  // namespace seq2seq
