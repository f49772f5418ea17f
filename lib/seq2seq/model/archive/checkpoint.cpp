#include "seq2seq/model/archive/checkpoint.h"

#include <torch/script.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <ostream>
#include <streambuf>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/json.h"
#include "seq2seq/model/archive/model_archive.h"
#include "seq2seq/model/archive/model_readers.h"
#include "seq2seq/model/archive/scripted_translate.h"
#include "seq2seq/model/archive/torchscript.h"
#include "seq2seq/model/device.h"

namespace seq2seq {
namespace fs = std::filesystem;
namespace {

const std::vector<std::string> archive_methods{"encode", "start", "step", "greedy", "greedy_with_attention"};

// Turns off requires_grad of all parameters while it exists: archives are for inference, and would store it.
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

// What LibTorch writes an archive to. Once that has failed, it takes all that follows nonetheless: LibTorch
// writes the end in a destructor, where its exception about a full disk would end the program.
class ArchiveFile : public std::streambuf {
 public:
  explicit ArchiveFile(const std::string& path) : file_(std::fopen(path.c_str(), "wbe"), std::fclose) {
    if (!file_) failure_ = errno;
  }
  /// 0, or errno of the first failure.
  int close() {
    if (failure_ == 0 && std::fflush(file_.get()) != 0) failure_ = errno;
    file_.reset();
    return failure_;
  }

 protected:
  std::streamsize xsputn(const char* bytes, std::streamsize count) override {
    const auto size = static_cast<size_t>(count);
    if (failure_ == 0 && std::fwrite(bytes, 1, size, file_.get()) != size) failure_ = errno;
    return count;
  }
  int_type overflow(int_type character) override {
    const char byte = traits_type::to_char_type(character);
    if (!traits_type::eq_int_type(character, traits_type::eof())) xsputn(&byte, 1);
    return traits_type::not_eof(character);
  }

 private:
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  int failure_ = 0;
};

// An archive is self-contained: the paths of one machine are meaningless on another.
template <class Options>
Options without_paths(Options options) {
  for (const OptionField& field : option_fields(options))
    if (field.is(file_path)) field.set(std::string());
  return options;
}

void need(const fs::path& path) {
  std::error_code failure;
  if (fs::exists(path, failure)) return;
  throw Error(path.string(), failure ? "cannot be opened (" + failure.message() + ")" : "does not exist",
              "give a model.pt or a run directory");
}

// Builds the network that the options describe and moves the weights into it.
TranslationModel built(ImportedModel imported, QuantizedValues values) {
  TranslationModel& model = imported.model;
  model.model = Seq2Seq(model.model_options, model.text.source->vocabulary().size(),
                        model.text.target->vocabulary().size());
  take_parameters(*model.model, imported.weights, imported.file, values_of(model.quantized, values));
  connect_vocabularies(model);
  return std::move(model);
}

}  // namespace

void save_model(const TranslationModel& model, const fs::path& path) {
  ModelOptions model_options = without_paths(model.model_options);
  model_options.embedding.freeze = false;
  const TextOptions text_options = without_paths(model.text_options);
  Json config;
  const WeightFormat weights = model.quantized.format;
  config["format"] = weights == WeightFormat::float32 ? archive_format : quantized_archive_format;
  if (weights != WeightFormat::float32) config[weights_key] = option_name(weights);
  config["program"] = "seq2seq";
  config["model"] = parse_json(options_to_json(model_options), "model options");
  config["text"] = parse_json(options_to_json(text_options), "text options");
  config["maximum-length"] = model.maximum_length;
  if (!model.keys.empty()) {
    config["source-key"] = model.keys.source;
    config["target-key"] = model.keys.target;
  }
  config["methods"] = archive_methods;
  if (why_no_translate(model.model_options, model.text_options).empty())
    config["methods"].push_back("translate");
  torch::jit::ExtraFilesMap files;
  files[archive_config] = dump_json(config, 2);
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
  torch::jit::Module archive = to_torchscript(network, model.quantized);
  if (why_no_translate(model.model_options, model.text_options).empty()) add_translate(archive, model);
  write_file(path, [&](const std::string& temporary) {
    ArchiveFile file(temporary);
    std::ostream out(&file);
    archive.save(out, files);
    if (const int failure = file.close())
      throw Error(path.string(), std::string("cannot be written (") + std::strerror(failure) + ")",
                  "check free space and permissions");
  });
}

fs::path find_model_file(const fs::path& path) {
  need(path);
  if (const auto file = archive_file(path)) return *file;
  throw Error(path.string(), "holds no model yet", "give a run directory of seq2seq train, or a model.pt");
}

TranslationModel load_model(const fs::path& path, const at::Device& device, WeightMemory memory) {
  need(path);
  TranslationModel model = [&] {
    try {
      const bool from_store = memory == WeightMemory::mapped && device.is_cpu();
      return built(reader_of(path).read(path, memory),
                   from_store ? QuantizedValues::none : QuantizedValues::float32);
    } catch (...) {
      rethrow_unforeseen("loading " + path.string());
    }
  }();
  move_to(*model.model, device);
  return model;
}

}  // namespace seq2seq
