#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "seq2seq/core/options.h"
#include "seq2seq/data/corpus.h"
#include "seq2seq/data/example_line.h"
#include "seq2seq/data/filter.h"
#include "seq2seq/data/loader.h"
#include "seq2seq/data/sampler.h"
#include "seq2seq/metrics/metrics.h"
#include "seq2seq/model/device.h"
#include "seq2seq/model/options.h"
#include "seq2seq/model/text_options.h"
#include "seq2seq/nn/engine/compute.h"

namespace seq2seq {

/// Kingma and Ba 2015.
struct AdamOptions {
  static constexpr const char* type = "adam";
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  static void fields(auto& o, auto& f) {
    f("beta1", o.beta1, "decay of the moving average of gradients", in_range(0, 0.99999));
    f("beta2", o.beta2, "decay of the moving average of squared gradients", in_range(0, 0.9999999));
    f("epsilon", o.epsilon, "added to the denominator, against division by 0", in_range(0, 1));
  }
};
/// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
struct AdamWOptions {
  static constexpr const char* type = "adamw";
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0.01;
  static void fields(auto& o, auto& f) {
    f("beta1", o.beta1, "decay of the moving average of gradients", in_range(0, 0.99999));
    f("beta2", o.beta2, "decay of the moving average of squared gradients", in_range(0, 0.9999999));
    f("epsilon", o.epsilon, "added to the denominator, against division by 0", in_range(0, 1));
    f("weight-decay", o.weight_decay, "decoupled weight decay, multiplied by the learning rate", at_least(0));
  }
};
struct SgdOptions {
  static constexpr const char* type = "sgd";
  double momentum = 0.0, weight_decay = 0.0;
  static void fields(auto& o, auto& f) {
    f("momentum", o.momentum, "momentum factor", in_range(0, 0.9999));
    f("weight-decay", o.weight_decay, "L2 penalty added to gradients", at_least(0));
  }
};
/// Duchi et al. 2011.
struct AdagradOptions {
  static constexpr const char* type = "adagrad";
  double initial_accumulator = 0.1, epsilon = 1e-10;
  static void fields(auto& o, auto& f) {
    f("initial-accumulator", o.initial_accumulator, "initial value of the sums of squared gradients",
      at_least(0));
    f("epsilon", o.epsilon, "added to the denominator, against division by 0", in_range(0, 1));
  }
};
using OptimizerOptions = std::variant<AdamOptions, AdamWOptions, SgdOptions, AdagradOptions>;

/// How the learning rate changes after the warm-up.
struct ConstantSchedule {
  static constexpr const char* type = "constant";
  static void fields(auto&, auto&) {}
};
struct InverseSquareRootSchedule {
  static constexpr const char* type = "inverse-square-root";
  static void fields(auto&, auto&) {}
};
struct LinearSchedule {
  static constexpr const char* type = "linear";
  int64_t updates = 0;
  static void fields(auto& o, auto& f) {
    f("updates", o.updates, "reach the minimum after this many updates; 0 = the run's first max-updates",
      at_least(0), on_resume_free);
  }
};
struct CosineSchedule {
  static constexpr const char* type = "cosine";
  int64_t updates = 0;
  static void fields(auto& o, auto& f) {
    f("updates", o.updates, "reach the minimum after this many updates; 0 = the run's first max-updates",
      at_least(0), on_resume_free);
  }
};
struct PlateauSchedule {
  static constexpr const char* type = "plateau";
  double factor = 0.5;
  int64_t patience = 1;
  static void fields(auto& o, auto& f) {
    f("factor", o.factor, "multiplies the rate when validation does not improve", in_range(0.01, 0.99));
    f("patience", o.patience, "validations without improvement before that", at_least(1));
  }
};
using ScheduleOptions = std::variant<ConstantSchedule, InverseSquareRootSchedule, LinearSchedule,
                                     CosineSchedule, PlateauSchedule>;
/// The `updates` of a schedule that has an end; null of the others.
const int64_t* updates_of(const ScheduleOptions& schedule);

/// The metrics that validation offers: names of rows of metrics().
std::vector<std::string> validation_metric_names();

struct DataOptions {
  std::string train_source, train_target, train, valid_source, valid_target, valid;
  std::string source_key, target_key;
  int64_t held_out = 0;
  double maximum_unknown = 0.5;
  static void fields(auto& o, auto& f) {
    // A run that is resumed compares the files with its own: they may have moved.
    f("train-source", o.train_source, "training text, source side, one example per line (.gz too)", file_path,
      on_resume_free, everyday);
    f("train-target", o.train_target, "training text, target side", file_path, on_resume_free, everyday);
    f("train", o.train, "training examples in one file: .tsv or .jsonl (.gz too)", file_path, on_resume_free,
      everyday);
    f("valid-source", o.valid_source, "validation text, source side", file_path, on_resume_free, everyday);
    f("valid-target", o.valid_target, "validation text, target side", file_path, on_resume_free, everyday);
    f("valid", o.valid, "validation examples in one file: .tsv or .jsonl", file_path, on_resume_free,
      everyday);
    const OptionCondition of_json_lines =
        noted_unless(has_json_lines(o.train) || has_json_lines(o.valid), "without a .jsonl file");
    f("source-key", o.source_key, source_key_help, of_json_lines);
    f("target-key", o.target_key, target_key_help, of_json_lines);
    f("held-out", o.held_out,
      "without validation files: training examples held out for validation, drawn from those that can be "
      "trained on and occur once, as long as there are enough; 0 = 1%, at most 1000",
      at_least(0));
    f("max-unknown", o.maximum_unknown,
      "largest share of <unk>, 0 to 1, that a vocabulary, subword model or model that is given may leave in "
      "the tokens of a side (first 10,000 pairs; words that copying can write do not count)",
      in_range(0, 1));
  }
  CorpusFiles train_files() const { return {train_source, train_target, train, keys()}; }
  CorpusFiles valid_files() const { return {valid_source, valid_target, valid, keys()}; }
  ExampleKeys keys() const { return {source_key, target_key}; }
};

/// The number format of products in training. Weights, sums, losses and validation are always in float32.
/// tf32: on CUDA devices only. bfloat16: products with weights; on CUDA devices the others are in tf32.
enum class Precision { float32, tf32, bfloat16, automatic };
std::span<const char* const> option_names(Precision);

struct OptimizationOptions {
  OptimizerOptions optimizer;
  ScheduleOptions schedule;
  double learning_rate = 0.001;
  double minimum_learning_rate = 0.0;
  int64_t warmup_updates = 0;
  double clip_norm = 5.0;
  double divergence_norm = 1e5;
  int64_t accumulation = 1;
  double label_smoothing = 0.0;
  double average_decay = 0.0;
  Precision precision = Precision::float32;
  bool deterministic = false;
  double scheduled_sampling = 0.0;
  int64_t scheduled_sampling_updates = 0;
  double coverage_loss = 0.0;
  int64_t coverage_loss_start = 0;
  static void fields(auto& o, auto& f) {
    f.choice("optimizer", o.optimizer, "optimization algorithm");
    f.choice("schedule", o.schedule, "learning rate schedule after the warm-up");
    f("learning-rate", o.learning_rate, "peak learning rate", in_range(0, 100), everyday);
    f("minimum-learning-rate", o.minimum_learning_rate, "lower bound of the schedule", at_least(0),
      noted_unless(!std::holds_alternative<ConstantSchedule>(o.schedule), "with --schedule constant"));
    f("warmup-updates", o.warmup_updates, "updates over which the learning rate grows linearly from 0",
      at_least(0));
    f("clip-norm", o.clip_norm, "scale gradients with a larger norm down to it; 0 = no clipping",
      at_least(0));
    f("divergence-norm", o.divergence_norm, "stop if the gradient norm before clipping is larger; 0 = never",
      at_least(0));
    f("accumulation", o.accumulation, "batches whose gradients are accumulated for each update", at_least(1));
    f("label-smoothing", o.label_smoothing, "probability spread over all tokens (Szegedy et al. 2016)",
      in_range(0, 0.9));
    f("average-decay", o.average_decay,
      "validate and save an exponential moving average of the weights with this decay; 0 = off",
      in_range(0, 0.999999));
    f("precision", o.precision,
      "number format of matrix products in training: tf32 is for CUDA devices; bfloat16 is twice as fast on "
      "processors with instructions for it; auto measures at the start, and is tf32 on CUDA devices");
    f("deterministic", o.deterministic,
      "bit-identical results on CUDA devices as well: slower, and batches too large for the memory are not "
      "split");
    f("scheduled-sampling", o.scheduled_sampling,
      "probability that a decoder input is sampled from the model itself (Bengio et al. 2015)",
      in_range(0, 1));
    f("scheduled-sampling-updates", o.scheduled_sampling_updates,
      "updates over which that probability grows from 0", at_least(0),
      only_if(o.scheduled_sampling > 0, "add --scheduled-sampling"));
    f("coverage-loss", o.coverage_loss,
      "weight of the penalty for attending to a source token repeatedly (See et al. 2017); needs attention",
      at_least(0));
    f("coverage-loss-start", o.coverage_loss_start, "updates before the coverage loss is added", at_least(0),
      only_if(o.coverage_loss > 0, "add --coverage-loss"));
  }
};

struct LimitOptions {
  int64_t max_updates = 0, max_epochs = 0, max_target_tokens = 0;
  double max_minutes = 0;
  static void fields(auto& o, auto& f) {
    f("max-updates", o.max_updates, "stop after this many updates in total; 0 = no limit", at_least(0),
      everyday);
    f("max-epochs", o.max_epochs, "stop after this many passes over the data in total; 0 = no limit",
      at_least(0));
    f("max-target-tokens", o.max_target_tokens,
      "stop after this many target tokens in total (</s> included): the fair budget for models whose batches "
      "differ; 0 = no limit",
      at_least(0));
    f("max-minutes", o.max_minutes, "stop this many minutes after the program's start; 0 = no limit",
      at_least(0), everyday);
  }
};

struct ValidationOptions {
  int64_t every = 0;
  std::string criterion = "perplexity";
  std::vector<std::string> metrics;
  int64_t patience = 10;
  int64_t beam_size = 1;
  std::string bleu_tokenizer = "13a";
  RougeTokenizer rouge_tokenizer = RougeTokenizer::automatic;
  static void fields(auto& o, auto& f) {
    f("valid-every", o.every, "updates between validations; 0 = once per epoch", at_least(0), on_resume_free);
    f("valid-criterion", o.criterion,
      "metric that decides about `best` and early stopping: not novelty or copy-rate, which have no best "
      "value; the best length ratio is the nearest to 1; repetition favours models that write nothing, so "
      "watch another metric, too",
      validation_metric_names());
    f("valid-metrics", o.metrics, "further metrics to log, named as for --valid-criterion", everyday);
    f("patience", o.patience, "stop after this many validations without improvement; 0 = never", at_least(0),
      on_resume_free);
    f("valid-beam-size", o.beam_size, "beam for metrics that need translations", in_range(1, 64),
      only_if(o.translates(), "add --valid-metrics bleu, or leave it out"));
    f("valid-tokenize", o.bleu_tokenizer, "tokenizer of BLEU, as of `evaluate --tokenize`",
      BleuTokenizer::names(),
      only_if(o.heeds(&MetricHeeds::tokenizer), "add --valid-metrics bleu, or leave it out"));
    f("valid-rouge-tokenize", o.rouge_tokenizer,
      "words of ROUGE, as of `evaluate --rouge-tokenize`; auto is settled by the references when a run begins",
      only_if(o.heeds(&MetricHeeds::rouge_tokenizer), "add --valid-metrics rougeL, or leave it out"));
  }
  /// Whether the criterion or a metric needs translations.
  bool translates() const;
  /// Whether the criterion or a metric depends on this setting.
  bool heeds(bool MetricHeeds::*setting) const;
  /// Settles `auto` as in the run that is resumed. One that says `auto` itself was begun by a version that knew
  /// the rule of rouge-score alone: later ones keep what it was settled to.
  void settle_resumed(const ValidationOptions& before);
};
/// The criterion and the further metrics, each once.
std::vector<const Metric*> wanted_metrics(const ValidationOptions& options);
/// Whether a larger ValidationResult::criterion is better.
bool larger_is_better(const Metric& criterion);

struct RunOptions : MachineOptions {
  std::string directory;
  std::string initialize_from;
  int64_t seed = 1;
  int64_t checkpoint_every = 0;
  int64_t keep_checkpoints = 2;
  int64_t log_every = 50;
  int64_t gradient_flow_every = 0;
  static void fields(auto& o, auto& f) {
    f("run-directory", o.directory, "folder for configuration, log and checkpoints", on_resume_free,
      everyday);
    f("initialize-from", o.initialize_from, "start from this model's weights and vocabularies (fine-tuning)",
      file_path, everyday);
    f("seed", o.seed, "seed of all random numbers", at_least(0), same_in_a_study, everyday);
    MachineOptions::fields(o, f);
    f("checkpoint-every", o.checkpoint_every, "updates between checkpoints; 0 = at every validation",
      at_least(0), on_resume_free);
    f("keep-checkpoints", o.keep_checkpoints, "newest checkpoints kept, besides the best", at_least(1),
      on_resume_free);
    f("log-every", o.log_every, "updates between log lines", at_least(1), on_resume_free);
    f("gradient-flow-every", o.gradient_flow_every,
      "updates between measurements of gradient flow on some validation text, for `report`; 0 = never",
      at_least(0), on_resume_free);
  }
};

/// The options of a training run, as stored in config.json.
struct TrainOptions {
  DataOptions data;
  FilterOptions filter;
  BatchOptions batch;
  LoaderOptions loader;
  TextOptions text;
  ModelOptions model;
  OptimizationOptions optimization;
  LimitOptions limits;
  ValidationOptions validation;
  RunOptions run;
  static void fields(auto& o, auto& f) {
    f.group("data", o.data, GroupFlags::plain, same_in_a_study);
    f.group("filter", o.filter, GroupFlags::plain);
    f.group("batch", o.batch, GroupFlags::plain);
    f.group("loader", o.loader, GroupFlags::plain, on_resume_free);
    f.group("text", o.text, GroupFlags::plain, fixed_by_model);
    f.group("model", o.model, GroupFlags::plain, fixed_by_model);
    f.group("optimization", o.optimization, GroupFlags::plain);
    f.group("limits", o.limits, GroupFlags::plain, same_in_a_study, on_resume_free);
    f.group("validation", o.validation, GroupFlags::plain);
    f.group("run", o.run, GroupFlags::plain);
    f.also(&o.text.sentence_separator,
           only_if(std::holds_alternative<HierarchicalEncoderOptions>(o.model.encoder),
                   "add --encoder hierarchical, or leave it out"));
    f.also(&o.data.maximum_unknown,
           noted_unless(!o.text.makes_vocabulary() || !o.run.initialize_from.empty(),
                        "without a vocabulary, subword model or model that is given"));
  }
};

SEQ2SEQ_DECLARE_OPTIONS(TrainOptions)

/// Where the schedule ends in a run that began with `begun`: at its `updates`, or else at the first
/// --max-updates. nullopt: never; 0: unknown.
std::optional<int64_t> schedule_end(const ScheduleOptions& schedule, const LimitOptions& begun);

/// Rules between fields, and what this machine supports, before any file is opened. `begun`: of a run that is
/// resumed, its options. Throws UsageError.
void check(const TrainOptions& options, const TrainOptions* begun = nullptr);
/// Throws UsageError if a run that was to end within its schedule is to go on beyond the schedule's end.
void check_stays_within_schedule(const TrainOptions& options, const TrainOptions& begun);
/// Throws UsageError if the device does not support `precision`, Error if there is no such device.
void check_available(Precision precision, const std::string& device);
/// Whether the run's device supports `precision` with its kernels.
bool is_available(Precision precision, const RunOptions& run);
/// `precision`, with `automatic` resolved to the faster one on the run's device and with its kernels.
Precision resolved(Precision precision, const RunOptions& run);
/// Threads that tokenize: where none are said, a processor that trains is left to training, and up to four
/// serve another device.
int64_t loader_threads(const TrainOptions& options);

}  // namespace seq2seq
