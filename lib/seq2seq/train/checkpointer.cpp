#include "seq2seq/train/checkpointer.h"

#include "seq2seq/core/json.h"
#include "seq2seq/decode/self_test.h"

namespace seq2seq {
namespace {

// The options that shaped the weights, without paths, which mean nothing elsewhere.
Json training_options(const TrainOptions& options) {
  Json all = parse_json(options_to_json(options), "options");
  Json result;
  for (const char* group : {"filter", "batch", "optimization", "validation", "limits"})
    if (all.contains(group)) result[group] = all[group];
  result["seed"] = options.run.seed;
  return result;
}

}  // namespace

bool Checkpointer::due(const Progress& progress) const {
  const int64_t every = options_.run.checkpoint_every;
  return every > 0 ? progress.due(every) : progress.validated();
}

std::string Checkpointer::provenance(const Progress& progress,
                                     const std::map<std::string, double>& scores) const {
  Json json;
  json["update"] = progress.updates;
  json["epoch"] = progress.position.epoch;
  json["training-seconds"] = progress.training_seconds;
  if (!scores.empty()) json["validation"] = scores;
  json["history"] = parse_json(log_.history(), RunLog::file_name);
  json["data"] = parse_json(text_.fingerprints(), "fingerprints");
  json["training"] = training_options(options_);
  return dump_json(json, 2);
}

void Checkpointer::save(const Progress& progress, const TranslationModel& model, Update& update,
                        const std::map<std::string, double>& scores, bool best) {
  const std::string history = provenance(progress, scores);
  run_.checkpoint(progress.updates, best, kept(progress), [&](const std::filesystem::path& folder) {
    save_training_state({progress, update.state()}, folder / state_file);
    const AveragedWeights averages = update.averaged_weights();
    TranslationModel saved = on_cpu(model);
    saved.provenance = history;
    saved.self_test = to_json(self_test(saved));
    save_model(saved, folder / RunDirectory::model_file);
  });
}

Progress Checkpointer::restore(Update& update, OtherText other) {
  const std::string origin = (run_.last_checkpoint() / state_file).string();
  const TrainingState state = load_training_state(origin);
  if (other == OtherText::refused) text_.expect_pairs(state.progress.training_pairs);
  update.restore(state.tensors, origin);
  return state.progress;
}

void Checkpointer::go_on(const Progress& progress) {
  run_.go_on(kept(progress));  // first: it may relieve a full disk
  log_.cut(progress.updates);
}

KeptCheckpoints Checkpointer::kept(const Progress& progress) const {
  return {options_.run.keep_checkpoints, progress.best_update};
}

}  // namespace seq2seq
