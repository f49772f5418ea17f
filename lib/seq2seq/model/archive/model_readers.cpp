#include "seq2seq/model/archive/model_readers.h"

#include <string>
#include <vector>

#include "seq2seq/core/error.h"
#include "seq2seq/core/join.h"
#include "seq2seq/model/archive/model_archive.h"
#include "seq2seq/model/archive/zip_file.h"

namespace seq2seq {
namespace {

constexpr ModelReader readers[] = {{"seq2seq archive", is_model_archive, read_model_archive}};

}  // namespace

std::span<const ModelReader> model_readers() {
  return readers;
}

const ModelReader& reader_of(const std::filesystem::path& path) {
  std::vector<std::string> tried;
  for (const ModelReader& reader : model_readers()) {
    if (reader.recognises(path)) return reader;
    tried.emplace_back(reader.name);
  }
  std::error_code unknown;
  const auto file = archive_file(path);
  const bool torchscript = file && may_hold_entry(*file, "constants.pkl");
  throw Error(
      path.string(),
      std::string(std::filesystem::is_directory(path, unknown) ? "holds no model" : "is no model") +
          " of a known kind (tried: " + joined(tried) + ")",
      std::string("give a model.pt, or a run directory of seq2seq train that has a checkpoint; ") +
          (torchscript ? "Python's model.save() drops the files that make it one (docs/archives.md); " : "") +
          "translate runs the methods of other archives when --source-vocabulary and "
          "--target-vocabulary are given");
}

}  // namespace seq2seq
