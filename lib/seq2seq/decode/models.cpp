#include "seq2seq/decode/models.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/processors.h"
#include "seq2seq/model/same_text.h"
#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/engine/weight_store.h"

namespace seq2seq {
namespace {

int64_t workers_on(const at::Device& device, int64_t workers) {
  if (workers > 0) return workers;
  if (device.is_cpu()) return at::get_num_threads();
  // What one does on the CPU between its steps, others hide.
  return std::min<int64_t>(4, usable_processors());
}

std::shared_ptr<const TextCodec> read_codec(const std::string& file, PlainTokenizer tokenizer) {
  if (file.ends_with(".model")) {
    const std::string model = read_file(file);
    return std::make_shared<const TextCodec>(SentencePieceTokenizerOptions{}, NormalizationOptions{}, model,
                                             Vocabulary(sentencepiece_tokens(model, file)));
  }
  return std::make_shared<const TextCodec>(tokenizer_of(tokenizer), NormalizationOptions{}, "",
                                           Vocabulary::load(file));
}

/// Throws Error when `model`, of `path`, cannot decode together with `first`, of `first_path`.
void check_member(const TranslationModel& model, const std::string& path, const TranslationModel& first,
                  const std::string& first_path) {
  const auto need = [&](bool same, const std::string& problem, const std::string& remedy) {
    if (!same) throw Error(path, problem + " than " + first_path, remedy);
  };
  need(same_vocabularies(model, first), "has other vocabularies", "name models that share them");
  need(read_text_alike(model, first), "reads text another way",
       "name models with the same tokenizer and normalization");
  need(model.text.form.sentences == first.text.form.sentences, "reads sentences another way",
       "name models that all have a hierarchical encoder, or none that has");
}

}  // namespace

void check_weights(WeightFormat format, const at::Device& device, bool from_file) {
  if (format == WeightFormat::float32) return;
  const auto refuse = [&](const std::string& problem, const std::string& remedy) {
    throw UsageError("--weights",
                     option_name(format) + (from_file ? ", as in the model's file, " : " ") + problem,
                     from_file ? "add --weights float32" : remedy);
  };
  if (!device.is_cpu())
    refuse("is for processors, not for " + device.str(), "add --device cpu, or leave it out");
  const Compute& now = Compute::now();
  if (now.kernels != Kernels::fast)
    refuse("is for the fast kernels, not for " + option_name(now.kernels), "leave it or --kernels out");
  if (now.products != ProductFormat::float32)
    refuse("does not go with --precision bfloat16", "leave one of them out");
}

std::vector<std::unique_ptr<Scorer>> make_scorers(const Seq2Seq& model, int64_t workers,
                                                  const std::shared_ptr<const Shortlist>& shortlist,
                                                  WeightFormat format, const QuantizedWeights& quantized) {
  check_weights(format, model->device());
  const auto weights = weight_store(model, quantized, format);
  std::vector<std::unique_ptr<Scorer>> scorers;
  for (int64_t i = workers_on(model->device(), workers); i > 0; --i)
    scorers.push_back(std::make_unique<ModelScorer>(model, weights, shortlist));
  return scorers;
}

DecodingModels::DecodingModels(TranslationModel model)
    : text(model.text), maximum_length(model.maximum_length) {
  ours.push_back(std::move(model));
}

DecodingModels DecodingModels::load(const std::vector<std::string>& paths, EnsembleMean mean,
                                    const at::Device& device) {
  TORCH_CHECK(!paths.empty(), "no model to decode with");
  DecodingModels result(load_model(paths.front(), device, WeightMemory::mapped));
  result.mean = mean;
  for (size_t i = 1; i < paths.size(); ++i) {
    TranslationModel model = load_model(paths[i], device, WeightMemory::mapped);
    check_member(model, paths[i], result.ours.front(), paths.front());
    // Members that do not copy read tokens outside the vocabulary as <unk>.
    if (model.text.form.copying) result.text.form.copying = true;
    result.maximum_length = std::min(result.maximum_length, model.maximum_length);
    result.ours.push_back(std::move(model));
  }
  return result;
}

DecodingModels DecodingModels::load(const ForeignModel& archive, const at::Device& device) {
  DecodingModels result;
  result.text.source = read_codec(archive.source_vocabulary, archive.tokenizer);
  result.text.target = archive.target_vocabulary == archive.source_vocabulary
                           ? result.text.source
                           : read_codec(archive.target_vocabulary, archive.tokenizer);
  result.foreign =
      std::make_shared<ScriptModel>(find_model_file(archive.path), result.text.source->vocabulary().size(),
                                    result.text.target->vocabulary().size(), device);
  result.text.form.copying = result.foreign->copies();
  result.maximum_length = archive.maximum_length;
  return result;
}

bool DecodingModels::has_attention() const {
  if (foreign) return foreign->has_attention();
  return std::any_of(ours.begin(), ours.end(), [](const auto& one) { return one.model->has_attention(); });
}

WeightFormat DecodingModels::weight_format() const {
  if (foreign) return WeightFormat::float32;
  WeightFormat shortest = ours.front().quantized.format;
  for (const auto& one : ours) shortest = std::max(shortest, one.quantized.format);
  return weights.value_or(shortest);
}

at::Device DecodingModels::device() const {
  return foreign ? foreign->device() : ours.front().model->device();
}

ExampleKeys DecodingModels::keys(const ExampleKeys& given) const {
  return given.empty() && !ours.empty() ? ours.front().keys : given;
}

std::vector<std::unique_ptr<Scorer>> DecodingModels::scorers(
    int64_t workers, const std::shared_ptr<const Shortlist>& shortlist) const {
  check_weights(weight_format(), device(), !weights);
  const auto format_for = [&](const TranslationModel& one) { return weights.value_or(one.quantized.format); };
  if (ours.size() == 1)
    return make_scorers(ours.front().model, workers, shortlist, format_for(ours.front()),
                        ours.front().quantized);
  if (shortlist != nullptr)
    throw UsageError("--shortlist", "is for one model of seq2seq train", "leave it out, or name one model");
  std::vector<std::unique_ptr<Scorer>> result;
  std::vector<std::shared_ptr<WeightStore>> stores;
  for (const auto& one : ours) stores.push_back(weight_store(one.model, one.quantized, format_for(one)));
  for (int64_t i = workers_on(device(), workers); i > 0; --i) {
    if (foreign) {
      result.push_back(std::make_unique<ScriptScorer>(foreign->for_another_thread()));
      continue;
    }
    std::vector<std::unique_ptr<Scorer>> members;
    for (size_t member = 0; member < ours.size(); ++member)
      members.push_back(std::make_unique<ModelScorer>(ours[member].model, stores[member]));
    result.push_back(std::make_unique<EnsembleScorer>(std::move(members), mean));
  }
  return result;
}

}  // namespace seq2seq
