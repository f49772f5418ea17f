#include "seq2seq/model/archive/model_archive.h"

#include <map>
#include <memory>
#include <string>

#include "seq2seq/core/error.h"
#include "seq2seq/core/json.h"
#include "seq2seq/model/archive/archive.h"
#include "seq2seq/model/archive/zip_file.h"

namespace seq2seq {
namespace fs = std::filesystem;
namespace {

constexpr const char* give_a_whole_one = "give a model.pt written by seq2seq train, whole";

[[noreturn]] void refuse_content(const fs::path& path, const std::string& reason) {
  throw Error(path.string(), "does not hold what it should" + reason, give_a_whole_one);
}

/// The extra files of one archive.
class ExtraFiles {
 public:
  ExtraFiles(fs::path path, std::map<std::string, std::string> files)
      : path_(std::move(path)), files_(std::move(files)) {}

  const std::string& required(const std::string& name) const {
    const auto found = files_.find(name);
    if (found == files_.end()) refuse_content(path_, ": it lacks '" + name + "'");
    return found->second;
  }
  std::string optional(const std::string& name) const {
    const auto found = files_.find(name);
    return found == files_.end() ? std::string() : found->second;
  }

 private:
  fs::path path_;
  std::map<std::string, std::string> files_;
};

TextCodecs restore_text(const TextOptions& options, const ExtraFiles& files) {
  const auto side = [&](const std::string& name) {
    return std::make_shared<const TextCodec>(options.tokenizer, options.normalization,
                                             files.required(name + ".tokenizer"),
                                             Vocabulary::from_json(files.required(name + ".vocabulary.json"),
                                                                   "the archive's " + name + " vocabulary"));
  };
  TextCodecs text;
  text.source = side("source");
  text.target = options.shared_vocabulary ? text.source : side("target");
  return text;
}

TranslationModel restore(const fs::path& path, const ExtraFiles& files) {
  const Json config = parse_json(files.required(archive_config), path.string());
  for (const char* key : {"model", "text", "maximum-length"})
    if (!config.is_object() || !config.contains(key))
      throw Error(path.string(), std::string("its ") + archive_config + " lacks '" + key + "'",
                  give_a_whole_one);
  if (whole_number_at(config, "format", 0) > archive_format)
    throw Error(path.string(), "was written by a newer seq2seq (format " + config["format"].dump() + ")",
                "update seq2seq");
  TranslationModel result;
  result.model_options = options_from_json<ModelOptions>(config.at("model").dump(), path.string());
  result.text_options = options_from_json<TextOptions>(config.at("text").dump(), path.string());
  check(result.model_options);
  result.maximum_length = whole_number(config.at("maximum-length"));
  result.keys = {config.value("source-key", std::string()), config.value("target-key", std::string()),
                 /*required=*/false};
  result.methods = config.value("methods", std::vector<std::string>{});
  result.provenance = files.optional("provenance.json");
  result.self_test = files.optional("self-test.json");
  result.text = restore_text(result.text_options, files);
  return result;
}

}  // namespace

std::optional<fs::path> archive_file(const fs::path& path) {
  std::error_code unknown;
  if (!fs::is_directory(path, unknown)) return path;
  for (const char* inside : {"model.pt", "best/model.pt", "last/model.pt"})
    if (fs::exists(path / inside, unknown)) return path / inside;
  return std::nullopt;
}

bool is_model_archive(const fs::path& path) {
  const auto file = archive_file(path);
  return file && may_hold_entry(*file, archive_config);
}

ImportedModel read_model_archive(const fs::path& path, WeightMemory memory) {
  const fs::path file = archive_file(path).value();
  Archive archive = read_archive(file, memory);
  try {
    return {restore(file, ExtraFiles(file, std::move(archive.files))), std::move(archive.tensors),
            file.string()};
  } catch (const UsageError& error) {  // invalid options
    refuse_content(file, std::string(" (") + error.what() + ")");
  } catch (const Json::exception&) {  // entries with unexpected contents
    refuse_content(file, "");
  }
}

}  // namespace seq2seq
