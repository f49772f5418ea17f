#pragma once

#include <string>
#include <variant>
#include <vector>

#include "seq2seq/core/options.h"
#include "seq2seq/data/corpus.h"
#include "seq2seq/data/filter.h"
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
    f("beta1", o.beta1, "decay of the mean of gradients", in_range(0, 0.99999));
    f("beta2", o.beta2, "decay of the mean of squared gradients", in_range(0, 0.9999999));
    f("epsilon", o.epsilon, "keeps the division finite", in_range(0, 1));
  }
};
/// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
struct AdamWOptions {
  static constexpr const char* type = "adamw";
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0.01;
  static void fields(auto& o, auto& f) {
    f("beta1", o.beta1, "decay of the mean of gradients", in_range(0, 0.99999));
    f("beta2", o.beta2, "decay of the mean of squared gradients", in_range(0, 0.9999999));
    f("epsilon", o.epsilon, "keeps the division finite", in_range(0, 1));
    f("weight-decay", o.weight_decay, "share of each weight taken off, times the learning rate", at_least(0));
  }
};
struct SgdOptions {
  static constexpr const char* type = "sgd";
  double momentum = 0.0, weight_decay = 0.0;
  static void fields(auto& o, auto& f) {
    f("momentum", o.momentum, "share of the last step kept", in_range(0, 0.9999));
    f("weight-decay", o.weight_decay, "L2 penalty added to gradients", at_least(0));
  }
};
/// Duchi et al. 2011.
struct AdagradOptions {
  static constexpr const char* type = "adagrad";
  double initial_accumulator = 0.1, epsilon = 1e-10;
  static void fields(auto& o, auto& f) {
    f("initial-accumulator", o.initial_accumulator, "where the sums of squared gradients begin", at_least(0));
    f("epsilon", o.epsilon, "keeps the division finite", in_range(0, 1));
  }
};
using OptimizerOptions = std::variant<AdamOptions, AdamWOptions, SgdOptions, AdagradOptions>;

/// How the learning rate goes on after the warm-up.
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
    f("updates", o.updates, "reach the minimum after this many updates; 0 = max-updates", at_least(0));
  }
};
struct CosineSchedule {
  static constexpr const char* type = "cosine";
  int64_t updates = 0;
  static void fields(auto& o, auto& f) {
    f("updates", o.updates, "reach the minimum after this many updates; 0 = max-updates", at_least(0));
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

/// What validation can watch: names of rows of metrics().
std::vector<std::string> validation_metric_names();

struct DataOptions {
  std::string train_source, train_target, train, valid_source, valid_target, valid;
  int64_t held_out = 0;
  static void fields(auto& o, auto& f) {
    f("train-source", o.train_source, "training text, source side, an example a line (.gz too)", file_path,
      everyday);
    f("train-target", o.train_target, "training text, target side", file_path, everyday);
    f("train", o.train, "training examples in one file: .tsv or .jsonl (.gz too)", file_path, everyday);
    f("valid-source", o.valid_source, "validation text, source side", file_path, everyday);
    f("valid-target", o.valid_target, "validation text, target side", file_path, everyday);
    f("valid", o.valid, "validation examples in one file: .tsv or .jsonl", file_path, everyday);
    f("held-out", o.held_out,
      "without validation files: training examples kept for validation; 0 = a hundredth, at most 1000",
      at_least(0));
  }
  CorpusFiles train_files() const { return {train_source, train_target, train}; }
  CorpusFiles valid_files() const { return {valid_source, valid_target, valid}; }
};

/// The number format of products in training. Weights, sums, losses and validation are float32 in any case.
enum class Precision { float32, bfloat16, automatic };
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
  double scheduled_sampling = 0.0;
  int64_t scheduled_sampling_updates = 0;
  double coverage_loss = 0.0;
  int64_t coverage_loss_start = 0;
  static void fields(auto& o, auto& f) {
    f.choice("optimizer", o.optimizer, "how gradients become steps");
    f.choice("schedule", o.schedule, "how the learning rate changes");
    f("learning-rate", o.learning_rate, "the rate at its highest", in_range(0, 100), everyday);
    f("minimum-learning-rate", o.minimum_learning_rate, "schedules never go below", at_least(0));
    f("warmup-updates", o.warmup_updates, "the rate grows from 0 over this many updates", at_least(0));
    f("clip-norm", o.clip_norm, "longest gradient, longer ones are scaled down; 0 = never", at_least(0));
    f("divergence-norm", o.divergence_norm, "stop when the gradient before clipping is longer; 0 = never",
      at_least(0));
    f("accumulation", o.accumulation, "batches summed up before each update", at_least(1));
    f("label-smoothing", o.label_smoothing, "probability spread over all words (Szegedy et al. 2016)",
      in_range(0, 0.9));
    f("average-decay", o.average_decay,
      "validate and save an exponential moving average of the weights with this decay; 0 = off",
      in_range(0, 0.999999));
    f("precision", o.precision,
      "number format of products in training: bfloat16 is twice as fast on processors with instructions for "
      "it; auto "
      "measures at the start");
    f("scheduled-sampling", o.scheduled_sampling,
      "share of the decoder's inputs drawn from the model itself (Bengio et al. 2015)", in_range(0, 1));
    f("scheduled-sampling-updates", o.scheduled_sampling_updates, "updates until that share is reached",
      at_least(0), only_if(o.scheduled_sampling > 0, "add --scheduled-sampling"));
    f("coverage-loss", o.coverage_loss,
      "weight of the penalty for looking again at what was looked at before (See et al. 2017); needs "
      "attention",
      at_least(0));
    f("coverage-loss-start", o.coverage_loss_start, "updates before it counts", at_least(0),
      only_if(o.coverage_loss > 0, "add --coverage-loss"));
  }
};

struct LimitOptions {
  int64_t max_updates = 0, max_epochs = 0, max_target_tokens = 0;
  double max_minutes = 0;
  static void fields(auto& o, auto& f) {
    f("max-updates", o.max_updates, "stop after this many updates in all; 0 = no limit", at_least(0),
      everyday);
    f("max-epochs", o.max_epochs, "stop after this many passes over the data in all; 0 = no limit",
      at_least(0));
    f("max-target-tokens", o.max_target_tokens,
      "stop once trained on so many target tokens in all (</s> counts): the fair budget for models whose "
      "batches "
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
  static void fields(auto& o, auto& f) {
    f("valid-every", o.every, "updates between validations; 0 = once an epoch", at_least(0), on_resume_free);
    f("valid-criterion", o.criterion,
      "what decides about `best` and early stopping: not novelty or copy-rate, which have no best value; of "
      "the "
      "length ratio the nearest to 1; repetition favours models that write nothing, so watch another metric, "
      "too",
      validation_metric_names());
    f("valid-metrics", o.metrics, "further metrics to log: the criterion's names", everyday);
    f("patience", o.patience, "stop after this many validations without improvement; 0 = never", at_least(0),
      on_resume_free);
    f("valid-beam-size", o.beam_size, "beam for metrics that need translations", in_range(1, 64),
      only_if(o.translates(), "add --valid-metrics bleu, or leave it out"));
  }
  /// Whether the criterion or a metric needs translations.
  bool translates() const;
};
/// The criterion and the further metrics, each once.
std::vector<const Metric*> wanted_metrics(const ValidationOptions& options);
/// Whether a larger ValidationResult::criterion is better.
bool larger_is_better(const std::string& criterion);

struct RunOptions : MachineOptions {
  std::string directory;
  std::string initialize_from;
  int64_t seed = 1;
  int64_t checkpoint_every = 0;
  int64_t keep_checkpoints = 2;
  int64_t log_every = 50;
  int64_t gradient_flow_every = 0;
  static void fields(auto& o, auto& f) {
    f("run-directory", o.directory, "where configuration, log and checkpoints go", on_resume_free, everyday);
    f("initialize-from", o.initialize_from, "begin with this model's weights and vocabularies (fine-tuning)",
      file_path, everyday);
    f("seed", o.seed, "decides every random choice", at_least(0), same_in_a_study, everyday);
    MachineOptions::fields(o, f);
    f("checkpoint-every", o.checkpoint_every, "updates between checkpoints; 0 = at every validation",
      at_least(0), on_resume_free);
    f("keep-checkpoints", o.keep_checkpoints, "newest checkpoints kept, besides the best", at_least(1),
      on_resume_free);
    f("log-every", o.log_every, "updates between log lines", at_least(1), on_resume_free);
    f("gradient-flow-every", o.gradient_flow_every,
      "updates between measurements of how far back gradients reach, on some validation text, for `report`; "
      "0 = "
      "never",
      at_least(0), on_resume_free);
  }
};

/// Everything `seq2seq train` can be told; config.json holds exactly this.
struct TrainOptions {
  DataOptions data;
  FilterOptions filter;
  BatchOptions batch;
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
    f.group("text", o.text, GroupFlags::plain, fixed_by_model);
    f.group("model", o.model, GroupFlags::plain, fixed_by_model);
    f.group("optimization", o.optimization, GroupFlags::plain);
    f.group("limits", o.limits, GroupFlags::plain, same_in_a_study, on_resume_free);
    f.group("validation", o.validation, GroupFlags::plain);
    f.group("run", o.run, GroupFlags::plain);
    f.also(&o.text.sentence_separator,
           only_if(std::holds_alternative<HierarchicalEncoderOptions>(o.model.encoder),
                   "add --encoder hierarchical, or leave it out"));
  }
};

SEQ2SEQ_DECLARE_OPTIONS(TrainOptions)

/// Rules between fields, and what this machine can compute, before any file is opened. Throws UsageError.
void check(const TrainOptions& options);
/// Throws UsageError when this machine cannot compute in it.
void check_available(Precision precision);
/// `automatic` becomes what is faster where and how the run computes.
Precision resolved(Precision precision, const RunOptions& run);

}  // namespace seq2seq
