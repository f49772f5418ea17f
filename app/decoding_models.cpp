#include "decoding_models.h"

#include "seq2seq/core/error.h"
#include "seq2seq/model/archive/checkpoint.h"

namespace seq2seq {

std::span<const char* const> option_names(KeptWeights) {
  static constexpr const char* names[] = {"file", "float32", "bfloat16", "int8"};
  return names;
}

std::optional<WeightFormat> weight_format(KeptWeights kept) {
  if (kept == KeptWeights::file) return std::nullopt;
  if (kept == KeptWeights::float32) return WeightFormat::float32;
  return kept == KeptWeights::bfloat16 ? WeightFormat::bfloat16 : WeightFormat::int8;
}

void check(const DecodingModelOptions& options) {
  if (options.model.empty()) throw UsageError("--model", "is missing", "give a run directory or a model.pt");
  if (options.source_vocabulary.empty() != options.target_vocabulary.empty())
    throw UsageError(options.source_vocabulary.empty() ? "--source-vocabulary" : "--target-vocabulary",
                     "is missing", "give both, for an archive made by another program, or neither");
  if (options.foreign() && options.model.size() > 1)
    throw UsageError("--source-vocabulary", "is for one archive made by another program", "name one model");
}

std::vector<NamedFile> files_of(const DecodingModelOptions& options) {
  std::vector<NamedFile> files{{"--source-vocabulary", options.source_vocabulary},
                               {"--target-vocabulary", options.target_vocabulary}};
  for (const std::string& name : options.model) files.push_back({"--model", find_model_file(name).string()});
  return files;
}

DecodingModels load_models(const DecodingModelOptions& options, const at::Device& device) {
  const std::optional<WeightFormat> weights = weight_format(options.weights);
  if (weights) check_weights(*weights, device);  // before anything is read
  if (!options.foreign()) {
    DecodingModels models = DecodingModels::load(options.model, options.ensemble, device);
    models.weights = weights;
    check_weights(models.weight_format(), device, !weights);
    return models;
  }
  return DecodingModels::load(
      ForeignModel{options.model.front(), options.source_vocabulary, options.target_vocabulary,
                   options.tokenizer, options.maximum_length},
      device);
}

}  // namespace seq2seq
