#include "seq2seq/model/archive/checkpoint.h"

#include <ATen/ATen.h>
#include <torch/script.h>

#include <sstream>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/json.h"
#include "seq2seq/model/archive/scripted_translate.h"
#include "seq2seq/model/archive/torchscript.h"
#include "seq2seq/model/device.h"

namespace seq2seq {
namespace fs = std::filesystem;
namespace {

constexpr int64_t archive_format = 1;
constexpr const char* config_name = "seq2seq.json";
const std::vector<std::string> archive_methods{"encode", "start", "step", "greedy", "greedy_with_attention"};

// While one lives, no parameter asks for its gradient: archives are for use, and would keep asking.
class WithoutGradients {
 public:
  explicit WithoutGradients(Seq2SeqImpl& model) {
    for (const Tensor& parameter : model.parameters())
      if (parameter.requires_grad()) paused_.push_back(parameter);
    set(false);
  }
  ~WithoutGradients() { set(true); }
  WithoutGradients(const WithoutGradients&) = delete;
  WithoutGradients& operator=(const WithoutGradients&) = delete;

 private:
  void set(bool wanted) {
    for (Tensor& parameter : paused_) parameter.set_requires_grad(wanted);
  }
  std::vector<Tensor> paused_;
};

[[noreturn]] void refuse(const fs::path& path, const std::string& problem, const std::string& remedy) {
  throw Error(path.string(), problem, remedy);
}

TextCodecs restore_text(const TextOptions& options, const std::map<std::string, std::string>& files) {
  const auto side = [&](const std::string& name) {
    return std::make_shared<const TextCodec>(
        options.tokenizer, options.normalization, files.at(name + ".tokenizer"),
        Vocabulary::from_json(files.at(name + ".vocabulary.json"), "the archive's " + name + " vocabulary"));
  };
  TextCodecs text;
  text.source = side("source");
  text.target = options.shared_vocabulary ? text.source : side("target");
  return text;
}

// An archive is self-contained: paths of the machine it was made on mean nothing elsewhere.
void forget_paths(ModelOptions& model, TextOptions& text) {
  model.embedding.source_file.clear();
  model.embedding.target_file.clear();
  model.embedding.freeze = false;
  text.source_vocabulary.clear();
  text.target_vocabulary.clear();
  if (auto* sentencepiece = std::get_if<SentencePieceTokenizerOptions>(&text.tokenizer))
    sentencepiece->model.clear();
}

}  // namespace

NamedTensors named_parameters_of(Seq2SeqImpl& model) {
  NamedTensors result;
  for (const auto& parameter : model.named_parameters()) result[parameter.key()] = parameter.value();
  return result;
}

namespace {

// Calls `use` for each parameter and its value, once it is known to fit.
template <class Use>
void for_each_value(Seq2SeqImpl& model, const NamedTensors& values, const std::string& origin, Use use) {
  const at::NoGradGuard no_grad;
  for (auto& parameter : model.named_parameters()) {
    const auto found = values.find(parameter.key());
    const std::string name = "the parameter '" + parameter.key() + "'";
    if (found == values.end()) throw Error(origin, "lacks " + name, "it belongs to another architecture");
    if (found->second.sizes() != parameter.value().sizes()) {
      std::ostringstream sizes;
      sizes << found->second.sizes() << " instead of " << parameter.value().sizes();
      throw Error(origin, name + " has sizes " + sizes.str(), "architecture and vocabulary must be the same");
    }
    use(parameter.value(), found->second);
  }
}

}  // namespace

void copy_parameters(Seq2SeqImpl& model, const NamedTensors& values, const std::string& origin) {
  for_each_value(model, values, origin,
                 [](Tensor& parameter, const Tensor& value) { parameter.copy_(value); });
}

void connect_vocabularies(TranslationModel& model) {
  model.text.form = {model.model_options.copying,
                     std::holds_alternative<HierarchicalEncoderOptions>(model.model_options.encoder),
                     model.text_options.sentence_separator};
  if (!model.model_options.copying) return;
  const Vocabulary &source = model.text.source->vocabulary(), &target = model.text.target->vocabulary();
  std::vector<int64_t> table(static_cast<size_t>(source.size()), -1);
  for (int64_t id = Vocabulary::special_count; id < source.size(); ++id)
    table[static_cast<size_t>(id)] = target.find(source.token(id)).value_or(-1);
  model.model->set_source_to_target(table);
}

TranslationModel on_cpu(const TranslationModel& model) {
  TranslationModel result = model;
  if (model.model->device().is_cpu()) return result;
  Seq2Seq original = model.model;
  result.model = Seq2Seq(model.model_options, model.text.source->vocabulary().size(),
                         model.text.target->vocabulary().size());
  copy_parameters(*result.model, named_parameters_of(*original), "the model");
  connect_vocabularies(result);
  return result;
}

std::vector<Example> numbered_pairs(const TranslationModel& model, const Corpus& corpus,
                                    std::span<const uint64_t> indices) {
  std::vector<Example> examples;
  for (const uint64_t index : indices) {
    const RawExample raw = corpus.at(index);
    const NumberedSource source = number_source(*model.text.source, raw.source, raw.source_sentences,
                                                model.text.form, model.maximum_length);
    Example example{index, source.ids,
                    number_target(*model.text.target, raw.target, source, model.text.form)};
    if (!example.source.empty() && !example.target.empty()) examples.push_back(std::move(example));
  }
  if (examples.empty())
    throw Error(corpus.files().describe(), "has no pair with words on both sides", "give text");
  return examples;
}

void save_model(const TranslationModel& model, const fs::path& path) {
  ModelOptions model_options = model.model_options;
  TextOptions text_options = model.text_options;
  forget_paths(model_options, text_options);
  Json config;
  config["format"] = archive_format;
  config["program"] = "seq2seq";
  config["model"] = parse_json(options_to_json(model_options), "model options");
  config["text"] = parse_json(options_to_json(text_options), "text options");
  config["maximum-length"] = model.maximum_length;
  config["methods"] = archive_methods;
  if (why_no_translate(model.model_options, model.text_options).empty())
    config["methods"].push_back("translate");
  torch::jit::ExtraFilesMap files;
  files[config_name] = dump_json(config, 2);
  files["provenance.json"] = model.provenance;
  if (!model.self_test.empty()) files["self-test.json"] = model.self_test;
  files["source.vocabulary.json"] = model.text.source->vocabulary().to_json();
  files["source.tokenizer"] = model.text.source->tokenizer().state();
  if (!model.text_options.shared_vocabulary) {
    files["target.vocabulary.json"] = model.text.target->vocabulary().to_json();
    files["target.tokenizer"] = model.text.target->tokenizer().state();
  }
  Seq2Seq network = model.model;
  const WithoutGradients paused(*network);
  torch::jit::Module archive = to_torchscript(network);
  if (why_no_translate(model.model_options, model.text_options).empty()) add_translate(archive, model);
  write_file(path, [&](const std::string& temporary) {
    try {
      archive.save(temporary, files);
    } catch (const c10::Error&) {
      throw Error(path.string(), "cannot be written (" + system_reason() + ")",
                  "check free space and permissions");
    }
  });
}

fs::path find_model_file(const fs::path& path) {
  if (!fs::exists(path)) refuse(path, "does not exist", "give a model.pt or a run directory");
  if (!fs::is_directory(path)) return path;
  for (const char* inside : {"model.pt", "best/model.pt", "last/model.pt"})
    if (fs::exists(path / inside)) return path / inside;
  refuse(path, "holds no model yet", "give a run directory of seq2seq train, or a model.pt");
}

namespace {

TranslationModel restore(const fs::path& path, const Archive& archive) {
  const auto& files = archive.files;
  const Json config = parse_json(files.at(config_name), path.string());
  const std::string remedy = "give a model.pt written by seq2seq train, whole";
  for (const char* key : {"model", "text", "maximum-length"})
    if (!config.is_object() || !config.contains(key))
      refuse(path, std::string("its ") + config_name + " lacks '" + key + "'", remedy);
  if (config.value("format", int64_t{0}) > archive_format)
    refuse(path, "was written by a newer seq2seq (format " + config["format"].dump() + ")", "update seq2seq");
  const auto optional_file = [&](const char* name) { return files.contains(name) ? files.at(name) : ""; };
  TranslationModel result;
  result.model_options = options_from_json<ModelOptions>(config.at("model").dump(), path.string());
  result.text_options = options_from_json<TextOptions>(config.at("text").dump(), path.string());
  result.maximum_length = config.at("maximum-length").get<int64_t>();
  result.methods = config.value("methods", std::vector<std::string>{});
  result.provenance = optional_file("provenance.json");
  result.self_test = optional_file("self-test.json");
  result.text = restore_text(result.text_options, files);
  result.model = Seq2Seq(result.model_options, result.text.source->vocabulary().size(),
                         result.text.target->vocabulary().size());
  // Taken over, so that nothing is in memory twice.
  for_each_value(*result.model, archive.tensors, path.string(), [](Tensor& parameter, const Tensor& value) {
    parameter.set_data(value.to(parameter.scalar_type()).contiguous());
  });
  connect_vocabularies(result);
  return result;
}

}  // namespace

TranslationModel load_model(const fs::path& given, const at::Device& device) {
  const fs::path path = find_model_file(given);
  const Archive archive = read_archive(path);
  if (!archive.files.contains(config_name))
    refuse(path, "is a TorchScript archive, but not one of seq2seq",
           "give a model.pt written by seq2seq train; translate runs the methods of other archives when "
           "--source-vocabulary and --target-vocabulary are given");
  const std::string remedy = "give a model.pt written by seq2seq train, whole";
  TranslationModel result = [&] {
    try {
      return restore(path, archive);
    } catch (const UsageError& error) {  // options that are none
      refuse(path, std::string("does not hold what it should (") + error.what() + ")", remedy);
    } catch (const Json::exception&) {  // entries of the right name with something else in them
      refuse(path, "does not hold what it should", remedy);
    } catch (const std::out_of_range&) {
      refuse(path, "does not hold what it should", remedy);
    } catch (...) {
      rethrow_unforeseen("loading " + path.string());
    }
  }();
  move_to(*result.model, device);
  return result;
}

}  // namespace seq2seq
