#include "decoding_models.h"

#include <algorithm>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"

namespace seq2seq {
namespace {

std::shared_ptr<const TextCodec> read_codec(const std::string& file, PlainTokenizer tokenizer) {
  if (file.ends_with(".model")) {
    const std::string model = read_file(file);
    return std::make_shared<const TextCodec>(SentencePieceTokenizerOptions{}, NormalizationOptions{}, model,
                                             Vocabulary(sentencepiece_tokens(model, file)));
  }
  return std::make_shared<const TextCodec>(tokenizer_of(tokenizer), NormalizationOptions{}, "",
                                           Vocabulary::load(file));
}

}  // namespace

void check(const DecodingModelOptions& options) {
  const DecodingModelOptions usual;
  if (options.model.empty()) throw UsageError("--model", "is missing", "give a run directory or a model.pt");
  if (options.model.size() == 1 && options.ensemble != usual.ensemble)
    throw UsageError("--ensemble", "would change nothing", "name several models, or leave it out");
  if (options.source_vocabulary.empty() != options.target_vocabulary.empty())
    throw UsageError(options.source_vocabulary.empty() ? "--source-vocabulary" : "--target-vocabulary",
                     "is missing", "give both, for an archive made by another program, or neither");
  if (options.foreign() && options.model.size() > 1)
    throw UsageError("--source-vocabulary", "is for one archive made by another program", "name one model");
  const char* flag = options.tokenizer != usual.tokenizer ? "--tokenizer" : "--maximum-length";
  if (!options.foreign() &&
      (options.tokenizer != usual.tokenizer || options.maximum_length != usual.maximum_length))
    throw UsageError(flag, "is known for models of seq2seq train",
                     "leave it out, or add --source-vocabulary and --target-vocabulary");
  if (options.tokenizer != usual.tokenizer && options.source_vocabulary.ends_with(".model") &&
      options.target_vocabulary.ends_with(".model"))
    throw UsageError("--tokenizer", "would change nothing: the vocabularies are SentencePiece models",
                     "leave it out");
}

std::vector<NamedFile> files_of(const DecodingModelOptions& options) {
  std::vector<NamedFile> files{{"--source-vocabulary", options.source_vocabulary},
                               {"--target-vocabulary", options.target_vocabulary}};
  for (const std::string& name : options.model) files.push_back({"--model", find_model_file(name).string()});
  return files;
}

DecodingModels DecodingModels::load(const DecodingModelOptions& options, const at::Device& device) {
  DecodingModels result;
  result.mean = options.ensemble;
  if (options.foreign()) {
    result.text.source = read_codec(options.source_vocabulary, options.tokenizer);
    result.text.target = options.target_vocabulary == options.source_vocabulary
                             ? result.text.source
                             : read_codec(options.target_vocabulary, options.tokenizer);
    result.foreign = std::make_shared<ScriptModel>(find_model_file(options.model.front()),
                                                   result.text.source->vocabulary().size(),
                                                   result.text.target->vocabulary().size(), device);
    result.text.form.copying = result.foreign->copies();
    result.maximum_length = options.maximum_length;
    return result;
  }
  for (const std::string& path : options.model) {
    result.ours.push_back(load_model(path, device));
    result.packed.push_back(std::make_shared<WeightStore>(result.ours.back().model->parameters()));
    const TranslationModel &model = result.ours.back(), &first = result.ours.front();
    if (result.ours.size() == 1) {
      result.text = model.text;
      result.maximum_length = model.maximum_length;
      continue;
    }
    const auto need = [&](bool same, const std::string& problem, const std::string& remedy) {
      if (!same) throw Error(path, problem + " than " + options.model.front(), remedy);
    };
    need(model.text.source->vocabulary() == first.text.source->vocabulary() &&
             model.text.target->vocabulary() == first.text.target->vocabulary() &&
             model.text.source->tokenizer().state() == first.text.source->tokenizer().state(),
         "has other vocabularies", "name models that share them");
    need(model.text_options.normalization.nfkc == first.text_options.normalization.nfkc &&
             model.text_options.normalization.lowercase == first.text_options.normalization.lowercase &&
             model.text_options.tokenizer.index() == first.text_options.tokenizer.index(),
         "reads text another way", "name models with the same tokenizer and normalization");
    need(model.text.form.sentences == first.text.form.sentences, "reads sentences another way",
         "name models that all have a hierarchical encoder, or none that has");
    // Words that the vocabulary lacks are <unk> to those that do not copy.
    if (model.text.form.copying) result.text.form.copying = true;
    result.maximum_length = std::min(result.maximum_length, model.maximum_length);
  }
  return result;
}

bool DecodingModels::has_attention() const {
  if (foreign) return foreign->has_attention();
  return std::any_of(ours.begin(), ours.end(), [](const auto& one) { return one.model->has_attention(); });
}

bool DecodingModels::on_cpu() const {
  return foreign ? foreign->device().is_cpu() : ours.front().model->device().is_cpu();
}

std::unique_ptr<Scorer> DecodingModels::scorer(std::shared_ptr<const Shortlist> shortlist) const {
  if (foreign) return std::make_unique<ScriptScorer>(foreign->for_another_thread());
  if (ours.size() == 1)
    return std::make_unique<ModelScorer>(ours.front().model, packed.front(), std::move(shortlist));
  std::vector<std::unique_ptr<Scorer>> members;
  for (size_t i = 0; i < ours.size(); ++i)
    members.push_back(std::make_unique<ModelScorer>(ours[i].model, packed[i]));
  return std::make_unique<EnsembleScorer>(std::move(members), mean);
}

}  // namespace seq2seq
