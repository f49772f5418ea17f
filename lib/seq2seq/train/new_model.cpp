#include "seq2seq/train/new_model.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <filesystem>

#include "seq2seq/core/log.h"
#include "seq2seq/core/random.h"
#include "seq2seq/model/device.h"
#include "seq2seq/train/optimizer.h"
#include "seq2seq/train/random_streams.h"
#include "seq2seq/train/training_state.h"
#include "seq2seq/train/vocabulary_builder.h"

namespace seq2seq {
namespace {

void load_pretrained_vectors(TranslationModel& model) {
  const EmbeddingOptions& options = model.model_options.embedding;
  const auto load = [&](Embedding& embedding, const TextCodec& text, const std::string& file) {
    if (file.empty()) return;
    const PretrainedRows rows = load_pretrained(embedding, text.vocabulary(), file);
    const std::string repeated = rows.repeated == 0 ? ""
                                                    : fmt::format("; {} left out, of tokens that had one",
                                                                  format_count(rows.repeated));
    log_info(fmt::format("{}: vectors for {} of {} tokens{}", file,
                         format_count(static_cast<int64_t>(rows.ids.size())),
                         format_count(text.vocabulary().size()), repeated));
    if (options.freeze) freeze_rows(embedding, at::tensor(rows.ids));
  };
  load(model.model->source_embedding(), *model.text.source, options.source_file);
  load(model.model->target_embedding(), *model.text.target, options.target_file);
}

// As they were when the run began: since then, the files may have changed. Earlier versions froze all rows, and
// tell of none.
void freeze_as_before(TranslationModel& model, const std::filesystem::path& checkpoint) {
  const EmbeddingOptions& options = model.model_options.embedding;
  const std::filesystem::path state = checkpoint / state_file;
  const NamedTensors rows =
      std::filesystem::exists(state) ? frozen_rows_of(load_training_state(state).tensors) : NamedTensors{};
  const auto freeze = [&](Embedding& embedding, const char* name, const std::string& file) {
    if (const auto found = rows.find(name); found != rows.end()) freeze_rows(embedding, found->second);
    if (rows.empty() && !file.empty()) embedding->weight.set_requires_grad(false);
  };
  freeze(model.model->source_embedding(), "source_embedding.weight", options.source_file);
  freeze(model.model->target_embedding(), "target_embedding.weight", options.target_file);
}

void take_options(TranslationModel& model, const TrainOptions& options) {
  model.model_options = options.model;
  model.text_options = options.text;
  model.maximum_length = options.filter.maximum_length;
}

TranslationModel loaded_model(const TrainOptions& options, const std::string& from,
                              const at::Device& device) {
  TranslationModel model = load_model(from, device);
  require_float32_weights(model, from);
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
    if (options.model.embedding.freeze) freeze_as_before(model, from);
  }
  model.keys = corpus.other_keys();
  move_to(*model.model, device);
  return model;
}

}  // namespace seq2seq
