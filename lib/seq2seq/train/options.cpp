#include "seq2seq/train/options.h"

#include <algorithm>

#include "seq2seq/core/error.h"
#include "seq2seq/core/nearest_name.h"
#include "seq2seq/model/device.h"
#include "seq2seq/nn/engine/capabilities.h"
#include "seq2seq/nn/engine/products.h"

namespace seq2seq {

SEQ2SEQ_DEFINE_OPTIONS(TrainOptions)

namespace {

constexpr const char* metric_names[] = {"loss",         "perplexity", "accuracy",   "bleu",
                                        "chrf",         "chrf++",     "rouge1",     "rouge2",
                                        "rougeL",       "rougeLsum",  "repetition", "recovered-words",
                                        "length-ratio", "novelty",    "copy-rate"};

constexpr const char* precision_names[] = {"float32", "bfloat16", "auto"};

void check_files(const CorpusFiles& files, const std::string& name) {
  const bool parallel = !files.source.empty() || !files.target.empty();
  if (parallel && !files.combined.empty())
    throw UsageError("--" + name,
                     "'" + files.combined + "' is given beside --" + name + "-source / --" + name + "-target",
                     "give either one file or two");
  if (parallel && (files.source.empty() || files.target.empty()))
    throw UsageError("--" + name + (files.source.empty() ? "-source" : "-target"), "is missing",
                     "parallel text needs a file for each side");
}

int64_t horizon_of(const ScheduleOptions& schedule) {
  if (const auto* linear = std::get_if<LinearSchedule>(&schedule)) return linear->updates;
  if (const auto* cosine = std::get_if<CosineSchedule>(&schedule)) return cosine->updates;
  return 1;
}

}  // namespace

std::span<const char* const> option_names(ValidationMetric) {
  return metric_names;
}

std::span<const char* const> option_names(Precision) {
  return precision_names;
}

bool needs_translation(ValidationMetric metric) {
  return metric >= ValidationMetric::bleu;
}

bool larger_is_better(ValidationMetric metric) {
  return metric >= ValidationMetric::accuracy && metric != ValidationMetric::repetition &&
         metric != ValidationMetric::length_ratio;
}

bool can_decide(ValidationMetric metric) {
  return metric < ValidationMetric::novelty;
}

void check(const TrainOptions& options) {
  if (options.run.directory.empty())
    throw UsageError("--run-directory", "is missing", "name a folder for this run, such as run");
  if (options.data.train_files().empty())
    throw UsageError("--train-source", "is missing", "give --train-source and --train-target, or --train");
  check_files(options.data.train_files(), "train");
  check_files(options.data.valid_files(), "valid");
  if (!options.data.valid_files().empty() && options.data.held_out > 0)
    throw UsageError("--held-out", "is given beside validation files", "leave one of them out");
  check(options.text);
  check(options.model);
  const auto sharing = options.model.embedding.sharing;
  if (!options.text.shared_vocabulary &&
      (sharing == EmbeddingSharing::source_target || sharing == EmbeddingSharing::all))
    throw UsageError("--embedding.sharing", "source and target cannot share vectors of two vocabularies",
                     "set --shared-vocabulary");
  if (horizon_of(options.optimization.schedule) == 0 && options.limits.max_updates == 0)
    throw UsageError("--schedule.updates", "is missing",
                     "the schedule must know where it ends: give it or --max-updates");
  if (options.optimization.learning_rate < options.optimization.minimum_learning_rate)
    throw UsageError("--minimum-learning-rate", "is above the learning rate", "lower it");
  if (options.optimization.scheduled_sampling_updates > 0 && options.optimization.scheduled_sampling == 0)
    throw UsageError("--scheduled-sampling-updates", "does nothing alone",
                     "give --scheduled-sampling as well");
  if (options.optimization.coverage_loss > 0 && !has_attention(options.model))
    throw UsageError("--coverage-loss", "the decoder has no attention to penalise",
                     "set --decoder.attention additive");
  if (options.optimization.coverage_loss_start > 0 && options.optimization.coverage_loss == 0)
    throw UsageError("--coverage-loss-start", "does nothing alone", "give --coverage-loss as well");
  if (options.optimization.scheduled_sampling > 0 && options.model.copying)
    throw UsageError("--scheduled-sampling",
                     "draws from the vocabulary alone, which a model that copies does not",
                     "leave out one of --scheduled-sampling and --copying");
  const std::vector<std::string> names(std::begin(metric_names), std::end(metric_names));
  if (!can_decide(options.validation.criterion))
    throw UsageError("--valid-criterion",
                     "'" + names[static_cast<size_t>(options.validation.criterion)] + "' has no best value",
                     "name it with --valid-metrics, and choose another criterion, such as rougeL");
  for (const auto& name : options.validation.metrics)
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw UsageError("--valid-metrics", "'" + name + "' is unknown", suggest_name(name, names));
  const auto translates = [](ValidationMetric metric) { return needs_translation(metric); };
  bool translated = translates(options.validation.criterion);
  for (size_t i = 0; i < names.size(); ++i)
    translated |= translates(static_cast<ValidationMetric>(i)) &&
                  std::find(options.validation.metrics.begin(), options.validation.metrics.end(), names[i]) !=
                      options.validation.metrics.end();
  if (options.validation.beam_size != ValidationOptions{}.beam_size && !translated)
    throw UsageError("--valid-beam-size", "would change nothing: no metric needs translations",
                     "add --valid-metrics bleu, or leave it out");
  if (!options.text.sentence_separator.empty() &&
      !std::holds_alternative<HierarchicalEncoderOptions>(options.model.encoder))
    throw UsageError("--sentence-separator", "is for the hierarchical encoder",
                     "add --encoder hierarchical, or leave it out");
  const std::string& device = options.run.device;
  check_device_name(device);
  if (device != "cpu" && options.optimization.precision == Precision::bfloat16)
    throw UsageError("--precision", "only processors are offered bfloat16",
                     "give --precision float32 with --device " + device);
  if (options.run.kernels == Kernels::plain && options.optimization.precision == Precision::bfloat16)
    throw UsageError("--precision", "plain kernels compute in float32",
                     "give --precision float32 with --kernels plain");
  check_available(options.optimization.precision);
}

void check_available(Precision precision) {
  if (precision == Precision::bfloat16 && !has_onednn_bfloat16_products())
    throw UsageError("--precision", "bfloat16 cannot be computed on this machine",
                     "give --precision float32, also to go on with a run that was begun elsewhere");
}

Precision resolved(Precision precision, const RunOptions& run) {
  if (precision != Precision::automatic) return precision;
  return run.device == "cpu" && run.kernels != Kernels::plain && bfloat16_products_are_faster()
             ? Precision::bfloat16
             : Precision::float32;
}

bool may_change_on_resume(const std::string& path) {
  static const std::vector<std::string> free{
      "run.run-directory",      "run.threads",        "run.device",           "run.kernels",
      "run.checkpoint-every",   "run.log-every",      "run.keep-checkpoints", "run.gradient-flow-every",
      "validation.valid-every", "validation.patience"};
  return path.starts_with("limits.") || std::find(free.begin(), free.end(), path) != free.end();
}

}  // namespace seq2seq
