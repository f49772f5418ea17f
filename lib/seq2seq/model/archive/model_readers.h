#pragma once

// Not installed: the kinds of files that models are read from.

#include <filesystem>
#include <span>
#include <string>

#include "seq2seq/model/named_tensors.h"
#include "seq2seq/model/translation_model.h"

namespace seq2seq {

/// What a file holds: all that a model is made of.
struct ImportedModel {
  TranslationModel model;  ///< without its network, which is built as the options say
  NamedTensors weights;    ///< under the names of the network's parameters
  std::string file;        ///< where they were found, for messages
};

/// One kind of file, or of folder.
struct ModelReader {
  const char* name;  ///< for messages: "seq2seq archive"
  /// Whether `path`, which exists, is of this kind. Reads little of it.
  bool (*recognises)(const std::filesystem::path& path);
  /// Of what it recognises. Throws Error naming the file. Runs nothing that it defines.
  ImportedModel (*read)(const std::filesystem::path& path);
};

/// All that there are, in the order in which they are asked.
std::span<const ModelReader> model_readers();

/// The first that recognises `path`, which exists. Throws Error naming those asked when none does.
const ModelReader& reader_of(const std::filesystem::path& path);

}  // namespace seq2seq
