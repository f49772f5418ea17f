#include "seq2seq/train/new_model.h"

#include <fmt/format.h>

#include "seq2seq/core/log.h"
#include "seq2seq/core/random.h"
#include "seq2seq/model/device.h"
#include "seq2seq/train/random_streams.h"
#include "seq2seq/train/vocabulary_builder.h"

namespace seq2seq {
namespace {

void load_pretrained_vectors(TranslationModel& model) {
  const EmbeddingOptions& options = model.model_options.embedding;
  const auto load = [&](Embedding& embedding, const TextCodec& text, const std::string& file) {
    if (file.empty()) return;
    const int64_t found = load_pretrained(embedding, text.vocabulary(), file);
    log_info(fmt::format("{}: vectors for {} of {} tokens", file, format_count(found),
                         format_count(text.vocabulary().size())));
  };
  load(model.model->source_embedding(), *model.text.source, options.source_file);
  load(model.model->target_embedding(), *model.text.target, options.target_file);
}

// Also when a run is resumed: the optimizer has no state for frozen parameters.
void freeze_pretrained_vectors(TranslationModel& model) {
  const EmbeddingOptions& options = model.model_options.embedding;
  if (!options.freeze) return;
  if (!options.source_file.empty()) model.model->source_embedding()->weight.set_requires_grad(false);
  if (!options.target_file.empty()) model.model->target_embedding()->weight.set_requires_grad(false);
}

void take_options(TranslationModel& model, const TrainOptions& options) {
  model.model_options = options.model;
  model.text_options = options.text;
  model.maximum_length = options.filter.maximum_length;
}

TranslationModel loaded_model(const TrainOptions& options, const std::string& from,
                              const at::Device& device) {
  TranslationModel model = load_model(from, device);
  take_options(model, options);
  connect_vocabularies(model);
  return model;
}

}  // namespace

TranslationModel new_model(const TrainOptions& options, const Corpus& corpus, uint64_t seed) {
  return untrained_model(options, build_text(options.text, corpus, mix_seed({seed, vocabulary_stream})),
                         mix_seed({seed, weights_stream}));
}

TranslationModel untrained_model(const TrainOptions& options, const TextCodecs& text, uint64_t weights_seed) {
  TranslationModel model;
  take_options(model, options);
  model.text = text;
  model.model = Seq2Seq(options.model, text.source->vocabulary().size(), text.target->vocabulary().size());
  model.model->initialize(weights_seed);
  connect_vocabularies(model);
  return model;
}

TranslationModel model_to_train(const TrainOptions& options, const Corpus& corpus, const std::string& from) {
  const at::Device device = open_device(options.run.device);
  TranslationModel model;
  if (from.empty()) {
    model = new_model(options, corpus, static_cast<uint64_t>(options.run.seed));
    load_pretrained_vectors(model);
  } else {
    model = loaded_model(options, from, device);
  }
  model.keys = corpus.other_keys();
  freeze_pretrained_vectors(model);
  move_to(*model.model, device);
  return model;
}

}  // namespace seq2seq
