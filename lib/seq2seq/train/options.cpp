#include "seq2seq/train/options.h"

#include <fmt/format.h>

#include <algorithm>

#include "seq2seq/core/error.h"
#include "seq2seq/core/nearest_name.h"
#include "seq2seq/core/processors.h"
#include "seq2seq/nn/engine/capabilities.h"
#include "seq2seq/nn/engine/products.h"

namespace seq2seq {

SEQ2SEQ_DEFINE_OPTIONS(TrainOptions)

namespace {

constexpr const char* precision_names[] = {"float32", "tf32", "bfloat16", "auto"};

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void check_validation(const ValidationOptions& options) {
  const auto names = validation_metric_names();
  const auto check_name = [&](const char* flag, const std::string& name) {
    if (!holds(names, name)) throw UsageError(flag, "'" + name + "' is unknown", suggest_name(name, names));
  };
  check_name("--valid-criterion", options.criterion);
  for (const auto& name : options.metrics) check_name("--valid-metrics", name);
  if (metric_named(options.criterion).best == Best::none)
    throw UsageError("--valid-criterion", "'" + options.criterion + "' has no best value",
                     "name it with --valid-metrics, and choose another criterion, such as rougeL");
}

void check_schedule(const TrainOptions& options, const TrainOptions* begun) {
  const auto end = schedule_end(options.optimization.schedule, (begun ? *begun : options).limits);
  // What an older version began goes on.
  if (!end || (begun && end == schedule_end(begun->optimization.schedule, begun->limits))) return;
  if (*end == 0)
    throw UsageError("--schedule.updates", "is missing",
                     "the schedule must know where it ends: give it or --max-updates");
  if (const int64_t warmup = options.optimization.warmup_updates; warmup >= *end)
    throw UsageError("--warmup-updates",
                     fmt::format("{} leaves nothing of the schedule, which ends at update {}", warmup, *end),
                     "lower it, or raise --schedule.updates");
}

}  // namespace

std::vector<std::string> validation_metric_names() {
  std::vector<std::string> names;
  for (const Metric& metric : metrics())
    if (metric.shown.validation) names.emplace_back(metric.name);
  return names;
}

std::vector<const Metric*> wanted_metrics(const ValidationOptions& options) {
  std::vector<const Metric*> wanted;
  for (const Metric& metric : metrics())
    if (metric.name == options.criterion || holds(options.metrics, metric.name)) wanted.push_back(&metric);
  return wanted;
}

bool larger_is_better(const Metric& criterion) {
  return criterion.best == Best::highest;
}

std::span<const char* const> option_names(Precision) {
  return precision_names;
}

const int64_t* updates_of(const ScheduleOptions& schedule) {
  return std::visit(
      [](const auto& one) -> const int64_t* {
        if constexpr (requires { one.updates; })
          return &one.updates;
        else
          return nullptr;
      },
      schedule);
}

std::optional<int64_t> schedule_end(const ScheduleOptions& schedule, const LimitOptions& begun) {
  const int64_t* updates = updates_of(schedule);
  if (updates == nullptr) return std::nullopt;
  return *updates > 0 ? *updates : begun.max_updates;
}

void check_stays_within_schedule(const TrainOptions& options, const TrainOptions& begun) {
  const auto end = schedule_end(begun.optimization.schedule, begun.limits);
  const auto within = [&](int64_t max_updates) { return max_updates > 0 && max_updates <= *end; };
  const int64_t wanted = options.limits.max_updates;
  if (!end || !within(begun.limits.max_updates) || within(wanted)) return;
  const std::string number = wanted > 0 ? std::to_string(wanted) : "N";
  throw UsageError("--max-updates",
                   fmt::format("{} goes beyond update {}, where the run's schedule of the learning rate ends",
                               wanted > 0 ? number : "no limit", *end),
                   "add --schedule.updates " + number + ", which lets it end there");
}

bool ValidationOptions::translates() const {
  const auto wanted = wanted_metrics(*this);
  return std::any_of(wanted.begin(), wanted.end(), [](const Metric* metric) { return metric->of_texts(); });
}

bool ValidationOptions::heeds(bool MetricHeeds::*setting) const {
  const auto wanted = wanted_metrics(*this);
  return std::any_of(wanted.begin(), wanted.end(),
                     [&](const Metric* metric) { return metric->heeds.*setting; });
}

void ValidationOptions::settle_resumed(const ValidationOptions& before) {
  if (rouge_tokenizer != RougeTokenizer::automatic || !heeds(&MetricHeeds::rouge_tokenizer)) return;
  rouge_tokenizer = before.rouge_tokenizer == RougeTokenizer::automatic ? RougeTokenizer::rouge_score
                                                                        : before.rouge_tokenizer;
}

void check(const TrainOptions& options, const TrainOptions* begun) {
  if (options.run.directory.empty())
    throw UsageError("--run-directory", "is missing", "name a folder for this run, such as run");
  require_corpus_files(options.data.train_files(), corpus_flags("--train"));
  check_corpus_files(options.data.valid_files(), corpus_flags("--valid"));
  if (!options.data.valid_files().empty() && options.data.held_out > 0)
    throw UsageError("--held-out", "is given beside validation files", "leave one of them out");
  check(options.text);
  check(options.model);
  const auto sharing = options.model.embedding.sharing;
  if (!options.text.shared_vocabulary &&
      (sharing == EmbeddingSharing::source_target || sharing == EmbeddingSharing::all))
    throw UsageError("--embedding.sharing", "source and target cannot share vectors of two vocabularies",
                     "set --shared-vocabulary");
  check_schedule(options, begun);
  if (options.optimization.learning_rate < options.optimization.minimum_learning_rate)
    throw UsageError("--minimum-learning-rate", "is above the learning rate", "lower it");
  if (options.optimization.coverage_loss > 0 && !has_attention(options.model))
    throw UsageError("--coverage-loss", "the decoder has no attention to penalise",
                     "set --decoder.attention additive");
  if (options.optimization.scheduled_sampling > 0 && options.model.copying)
    throw UsageError("--scheduled-sampling",
                     "draws from the vocabulary alone, which a model that copies does not",
                     "leave out one of --scheduled-sampling and --copying");
  check_validation(options.validation);
  check_conditions(options);
  const std::string& device = options.run.device;
  check_device_name(device);
  if (options.run.kernels == Kernels::plain && options.optimization.precision == Precision::bfloat16)
    throw UsageError("--precision", "plain kernels compute in float32",
                     "give --precision float32 with --kernels plain");
  check_available(options.optimization.precision, device);
}

void check_available(Precision precision, const std::string& device) {
  constexpr const char* remedy =
      "give --precision float32, also to go on with a run that was begun elsewhere";
  if (precision == Precision::tf32 && !means_cuda(device))
    throw UsageError("--precision", "tf32 is a number format of CUDA devices", remedy);
  if (precision == Precision::bfloat16 && !has_bfloat16_products(open_device(device).type()))
    throw UsageError("--precision", "bfloat16 cannot be computed on this machine", remedy);
}

bool is_available(Precision precision, const RunOptions& run) {
  if (precision == Precision::tf32) return means_cuda(run.device);
  return precision != Precision::bfloat16 ||
         (run.kernels != Kernels::plain && has_bfloat16_products(open_device(run.device).type()));
}

Precision resolved(Precision precision, const RunOptions& run) {
  if (precision != Precision::automatic) return precision;
  // Kernels that are a reference, or compared with it, compute in float32.
  if (means_cuda(run.device)) return run.kernels == Kernels::fast ? Precision::tf32 : Precision::float32;
  return means_cpu(run.device) && run.kernels != Kernels::plain && bfloat16_products_are_faster()
             ? Precision::bfloat16
             : Precision::float32;
}

int64_t loader_threads(const TrainOptions& options) {
  if (options.loader.threads > 0) return options.loader.threads;
  return means_cpu(options.run.device) ? 1 : std::min<int64_t>(4, usable_processors());
}

}  // namespace seq2seq
