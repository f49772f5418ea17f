#include "seq2seq/model/archive/model_archive.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>

#include "seq2seq/core/error.h"
#include "seq2seq/core/json.h"
#include "seq2seq/model/archive/archive.h"
#include "seq2seq/model/archive/torchscript.h"
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

WeightFormat weight_format(const Json& config, const fs::path& path) {
  const std::string name = config.value(weights_key, option_name(WeightFormat::float32));
  const auto names = option_names(WeightFormat{});
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) refuse_content(path, ": it has weights in '" + name + "'");
  return static_cast<WeightFormat>(found - names.begin());
}

/// Why these numbers of a file cannot be a weight; empty = they can.
std::string why_not(const std::string& name, const QuantizedWeight& weight, WeightFormat format) {
  const auto type = format == WeightFormat::int8 ? at::kChar : at::kBFloat16;
  if (!may_be_quantized(name, weight.values, format)) return "is none of those that may be rounded";
  if (weight.values.scalar_type() != type) return "is of another number format";
  if (format != WeightFormat::int8) return "";
  if (!weight.scales.defined()) return "has no scales";
  if (weight.scales.scalar_type() != at::kFloat || weight.scales.dim() != 1 ||
      weight.scales.size(0) != weight.values.size(0))
    return "has scales that do not fit";
  if (!weight.scales.isfinite().all().item<bool>()) return "has scales that are no finite numbers";
  if (weight.values.min().item<int8_t>() < -127) return "has numbers below -127";
  return "";
}

/// Takes the rounded weights out of what an archive holds.
void take_quantized(QuantizedWeights& weights, NamedTensors& tensors, const fs::path& path) {
  if (weights.format == WeightFormat::float32) return;
  const std::string ending = quantized_ending(weights.format);
  for (auto tensor = tensors.begin(); tensor != tensors.end();) {
    if (!tensor->first.ends_with(ending)) {
      ++tensor;
      continue;
    }
    const std::string name = tensor->first.substr(0, tensor->first.size() - ending.size());
    QuantizedWeight weight{tensor->second.contiguous()};
    if (const auto scales = tensors.find(name + scales_ending);
        scales != tensors.end() && weights.format == WeightFormat::int8) {
      weight.scales = scales->second.contiguous();
      tensors.erase(scales);
    }
    if (const std::string reason = why_not(name, weight, weights.format); !reason.empty())
      refuse_content(path, ": the weight '" + name + "' in " + option_name(weights.format) + " " + reason);
    weights.found[name] = std::move(weight);
    tensor = tensors.erase(tensor);
  }
}

TranslationModel restore(const fs::path& path, const ExtraFiles& files) {
  const Json config = parse_json(files.required(archive_config), path.string());
  for (const char* key : {"model", "text", "maximum-length"})
    if (!config.is_object() || !config.contains(key))
      throw Error(path.string(), std::string("its ") + archive_config + " lacks '" + key + "'",
                  give_a_whole_one);
  if (whole_number_at(config, "format", 0) > quantized_archive_format)
    throw Error(path.string(), "was written by a newer seq2seq (format " + config["format"].dump() + ")",
                "update seq2seq");
  TranslationModel result;
  result.model_options = options_from_json<ModelOptions>(config.at("model").dump(), path.string());
  result.text_options = options_from_json<TextOptions>(config.at("text").dump(), path.string());
  check(result.model_options);
  result.quantized.format = weight_format(config, path);
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
    TranslationModel model = restore(file, ExtraFiles(file, std::move(archive.files)));
    take_quantized(model.quantized, archive.tensors, file);
    return {std::move(model), std::move(archive.tensors), file.string()};
  } catch (const UsageError& error) {  // invalid options
    refuse_content(file, std::string(" (") + error.what() + ")");
  } catch (const Json::exception&) {  // entries with unexpected contents
    refuse_content(file, "");
  }
}

}  // namespace seq2seq
