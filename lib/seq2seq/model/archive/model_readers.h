#pragma once

// Not installed: the kinds of files that models are read from.

#include <filesystem>
#include <span>
#include <string>

#include "seq2seq/model/archive/weight_memory.h"
#include "seq2seq/model/named_tensors.h"
#include "seq2seq/model/translation_model.h"

namespace seq2seq {

/// The contents of a model file: everything that makes up a model.
struct ImportedModel {
  TranslationModel model;  ///< without its network, which is built from the options
  NamedTensors weights;    ///< by the names of the network's parameters; the others are in `model.quantized`
  std::string file;        ///< their file, for messages
};

/// One kind of file or folder.
struct ModelReader {
  const char* name;  ///< for messages: "seq2seq archive"
  /// Whether `path`, which must exist, is of this kind. Reads little of it.
  bool (*recognises)(const std::filesystem::path& path);
  /// Reads a file of this kind. Throws Error naming the file. Runs nothing that it defines.
  ImportedModel (*read)(const std::filesystem::path& path, WeightMemory memory);
};

/// All readers, in the order in which they are tried.
std::span<const ModelReader> model_readers();

/// The first that recognises `path`, which must exist. Throws Error naming all readers if none does.
const ModelReader& reader_of(const std::filesystem::path& path);

}  // namespace seq2seq
