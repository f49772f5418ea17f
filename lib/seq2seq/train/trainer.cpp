#include "seq2seq/train/trainer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "seq2seq/core/error.h"
#include "seq2seq/core/json.h"
#include "seq2seq/core/log.h"
#include "seq2seq/core/peak_memory.h"
#include "seq2seq/core/random.h"
#include "seq2seq/data/fingerprint.h"
#include "seq2seq/decode/self_test.h"
#include "seq2seq/model/device.h"
#include "seq2seq/model/gradient_flow.h"
#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/layers/coverage/coverage.h"
#include "seq2seq/text/vocabulary.h"
#include "seq2seq/train/vocabulary_builder.h"

namespace seq2seq {
namespace {

// Streams of random numbers that must not meet.
enum : uint64_t { dropout_stream = 1, data_stream, weights_stream = 4, vocabulary_stream };

double scheduled_share(const OptimizationOptions& options, int64_t update) {
  if (options.scheduled_sampling_updates <= 0) return options.scheduled_sampling;
  const double done = static_cast<double>(update) / static_cast<double>(options.scheduled_sampling_updates);
  return options.scheduled_sampling * std::min(1.0, done);
}

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

TrainOptions prepared(TrainOptions options) {
  check(options);
  use_threads(options.run.threads);
  // Kept with the run, so that a resumed one computes alike.
  options.optimization.precision = resolved(options.optimization.precision, options.run);
  return options;
}

// What shaped the weights; without paths, which mean nothing elsewhere.
Json training_options(const TrainOptions& options) {
  Json all = parse_json(options_to_json(options), "options");
  Json result;
  for (const char* group : {"filter", "batch", "optimization", "validation", "limits"})
    if (all.contains(group)) result[group] = all[group];
  result["seed"] = options.run.seed;
  return result;
}

std::string fingerprints_json(const DataOptions& data) {
  Json result = Json::object();
  const auto add = [&](const char* side, const CorpusFiles& files) {
    for (const FileFingerprint& file : fingerprints_of(files))
      result[side].push_back(
          {{"name", file.name}, {"bytes", file.bytes}, {"crc32", fmt::format("{:08x}", file.crc32)}});
  };
  add("train", data.train_files());
  add("valid", data.valid_files());
  return dump_json(result);
}

// Of a resumed run too: the optimizer keeps no state for what is frozen.
void freeze_pretrained_vectors(TranslationModel& model) {
  const EmbeddingOptions& options = model.model_options.embedding;
  if (!options.freeze) return;
  if (!options.source_file.empty()) model.model->source_embedding()->weight.set_requires_grad(false);
  if (!options.target_file.empty()) model.model->target_embedding()->weight.set_requires_grad(false);
}

}  // namespace

UpdateSums DeviceSums::read() const {
  const Tensor values = losses.to(at::kCPU);
  const auto all = values.accessor<double, 1>();
  return {all[0], all[1], all[2], target_tokens, source_tokens};
}

DeviceSums accumulate_gradients(Seq2Seq& model, const std::vector<Batch>& batches,
                                const OptimizationOptions& options, uint64_t seed, int64_t update) {
  const ComputeScope products(&Compute::products, options.precision == Precision::bfloat16
                                                      ? ProductFormat::bfloat16
                                                      : ProductFormat::float32);
  DeviceSums sums;
  for (const Batch& batch : batches) sums.target_tokens += batch.target_tokens;
  for (size_t i = 0; i < batches.size(); ++i) {
    Noise noise(mix_seed({seed, dropout_stream, static_cast<uint64_t>(update), i}));
    const TensorBatch tensors = to_tensors(batches[i], model->device());
    const Memory memory = model->encode(tensors.source, &noise);
    const double sampling = scheduled_share(options, update);
    const StepSequence steps = sampling > 0
                                   ? model->decode_sampled(memory, tensors.target_input, sampling, &noise)
                                   : model->decode(memory, tensors.target_input, &noise);
    const LossSums loss = model->output()->loss(steps, memory, tensors.target_output, options.label_smoothing,
                                                tensors.target_places);
    Tensor total = loss.loss, coverage = at::zeros_like(loss.negative_log_likelihood);
    if (options.coverage_loss > 0) {
      coverage = coverage_loss(steps.attention, tensors.target_output.ne(Vocabulary::padding));
      if (update > options.coverage_loss_start) total = total + options.coverage_loss * coverage;
    }
    (total / static_cast<double>(sums.target_tokens)).backward();
    const Tensor losses =
        at::stack({loss.loss.detach(), loss.negative_log_likelihood, coverage.detach()}).to(at::kDouble);
    sums.losses = i == 0 ? losses : sums.losses + losses;
    sums.source_tokens += batches[i].source_tokens;
  }
  return sums;
}

UpdateResult update_weights(Seq2Seq& model, Optimizer& optimizer, const std::vector<Batch>& batches,
                            const OptimizationOptions& options, uint64_t seed, int64_t update,
                            double learning_rate) {
  optimizer.zero_gradients();
  DeviceSums made = accumulate_gradients(model, batches, options, seed, update);
  // Read together: each reading waits.
  const Tensor norm_and_losses =
      at::cat({optimizer.gradient_norm().to(at::kDouble).reshape(1), made.losses}).to(at::kCPU);
  const double norm = norm_and_losses[0].item<double>();
  made.losses = norm_and_losses.narrow(0, 1, 3);
  const UpdateSums sums = made.read();
  const bool exploded = options.divergence_norm > 0 && norm > options.divergence_norm;
  if (!std::isfinite(sums.loss) || !std::isfinite(norm) || exploded)
    throw Error(fmt::format("update {}", update),
                fmt::format("training diverged (loss {:.4g} a token, gradient norm {:.4g})",
                            sums.loss / static_cast<double>(sums.target_tokens), norm),
                "begin a new run with a lower --learning-rate, more --warmup-updates or --clip-norm 5; "
                "--initialize-from takes over the weights of this run's last checkpoint");
  optimizer.clip_gradients(norm, options.clip_norm);
  optimizer.step(learning_rate);
  return {sums, norm};
}

TranslationModel new_model(const TrainOptions& options, const Corpus& corpus, uint64_t seed) {
  TranslationModel model;
  model.model_options = options.model;
  model.text_options = options.text;
  model.maximum_length = options.filter.maximum_length;
  model.text = build_text(options.text, corpus, mix_seed({seed, vocabulary_stream}));
  model.model =
      Seq2Seq(options.model, model.text.source->vocabulary().size(), model.text.target->vocabulary().size());
  model.model->initialize(mix_seed({seed, weights_stream}));
  connect_vocabularies(model);
  return model;
}

Trainer::Trainer(const TrainOptions& options, bool resume, std::chrono::steady_clock::time_point started)
    : options_(prepared(options)),
      started_(started),
      run_(resume ? RunDirectory::open(options_.run.directory) : RunDirectory::create(options_)),
      begun_precision_(run_.options().optimization.precision),
      resumed_(resume),
      filter_reported_(resume) {
  try {
    open_data();
    open_model();
  } catch (...) {
    if (!resumed_) run_.discard();
    throw;
  }
}

Trainer::~Trainer() = default;

void Trainer::open_data() {
  train_corpus_ = std::make_unique<Corpus>(options_.data.train_files());
  fingerprints_ = fingerprints_json(options_.data);
  if (!options_.data.valid_files().empty()) {
    valid_corpus_ = std::make_unique<Corpus>(options_.data.valid_files());
    return;
  }
  const uint64_t size = train_corpus_->size();
  held_out_ = options_.data.held_out > 0 ? static_cast<uint64_t>(options_.data.held_out)
                                         : std::max<uint64_t>(1, std::min<uint64_t>(1000, size / 100));
  if (held_out_ >= size)
    throw Error(train_corpus_->files().describe(),
                fmt::format("has {} examples, {} are to be held out", size, held_out_),
                "lower --held-out or give validation files");
  log_info(fmt::format("no validation files: {} training examples are held out for validation",
                       format_count(static_cast<int64_t>(held_out_))));
}

void Trainer::open_model() {
  const auto seed = static_cast<uint64_t>(options_.run.seed);
  const at::Device device = open_device(options_.run.device);
  const std::string from = resumed_ ? run_.last_checkpoint().string() : options_.run.initialize_from;
  if (!from.empty()) {
    model_ = load_model(from, device);
    model_.model_options = options_.model;
    model_.text_options = options_.text;
    model_.maximum_length = options_.filter.maximum_length;
    connect_vocabularies(model_);
  } else {
    model_ = new_model(options_, *train_corpus_, seed);
  }
  if (from.empty()) load_pretrained_vectors(model_);
  freeze_pretrained_vectors(model_);
  move_to(*model_.model, device);

  optimizer_ = std::make_unique<Optimizer>(*model_.model, options_.optimization.optimizer);
  if (options_.optimization.average_decay > 0)
    average_ = std::make_unique<WeightAverage>(*model_.model, options_.optimization.average_decay);
  schedule_ = std::make_unique<Schedule>(options_.optimization, options_.limits.max_updates);
  progress_.training_pairs = static_cast<int64_t>(train_corpus_->size());
  if (resumed_) restore(run_.last_checkpoint());

  Loader::Settings settings;
  settings.batch = options_.batch;
  settings.filter = options_.filter;
  settings.form = model_.text.form;
  settings.seed = mix_seed({seed, data_stream});
  settings.held_out = held_out_;
  settings.start = progress_.position;
  std::vector<uint64_t> indices;
  if (valid_corpus_) {
    indices.resize(valid_corpus_->size());
    std::iota(indices.begin(), indices.end(), uint64_t{0});
  } else {
    indices = held_out_examples(train_corpus_->size(), held_out_, settings.seed);
  }
  validator_ = std::make_unique<Validator>(valid_corpus_ ? *valid_corpus_ : *train_corpus_, indices,
                                           model_.text, options_.validation, options_.filter.maximum_length);
  loader_ = std::make_unique<Loader>(*train_corpus_, *model_.text.source, *model_.text.target, settings);
  if (options_.optimization.precision == Precision::bfloat16) log_info("products are computed in bfloat16");
  log_info(fmt::format(
      "{}: {} pairs, {} validation pairs; vocabulary {} and {}; {} parameters; {} thread{}",
      resumed_ ? fmt::format("resuming at update {}", progress_.updates) : std::string("training"),
      format_count(static_cast<int64_t>(train_corpus_->size())),
      format_count(static_cast<int64_t>(validator_->size())),
      format_count(model_.text.source->vocabulary().size()),
      format_count(model_.text.target->vocabulary().size()), format_count(parameter_count(*model_.model)),
      at::get_num_threads(), at::get_num_threads() == 1 ? "" : "s"));
}

// Once an update has been made in another number format than those before it.
void Trainer::report_new_precision() {
  const Precision before = begun_precision_, now = options_.optimization.precision;
  if (before == now) return;
  log_warning(
      fmt::format("products were computed in {} until here, from here on in {}: the bits are no longer "
                  "those of a run that never changed",
                  option_name(before), option_name(now)));
  Json line;
  line["type"] = "precision";
  line["update"] = progress_.updates;
  line["precision"] = option_name(now);
  run_.log(dump_json(line));
  TrainOptions options = run_.options();
  options.optimization.precision = begun_precision_ = now;
  run_.set_options(options);
}

void Trainer::restore(const std::filesystem::path& checkpoint) {
  const std::string origin = (checkpoint / "state.pt").string();
  TrainingState state = load_training_state(origin);
  progress_ = state.progress;
  if (const auto pairs = static_cast<int64_t>(train_corpus_->size()); pairs != progress_.training_pairs)
    throw Error(train_corpus_->files().describe(),
                fmt::format("has {} pairs, {} when the run began", format_count(pairs),
                            format_count(progress_.training_pairs)),
                "give the run its text back, or begin a new one with --initialize-from");
  NamedTensors weights;
  for (const auto& [name, tensor] : state.tensors)
    if (name.starts_with("weight/")) weights[name.substr(7)] = tensor;
  copy_parameters(*model_.model, weights, origin);
  optimizer_->restore(state.tensors, origin);
  if (average_) average_->restore(state.tensors, origin);
  schedule_->restore(progress_.schedule);
  run_.cut_log(progress_.updates);
}

double Trainer::elapsed() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
}

UpdateResult Trainer::update() {
  std::vector<Batch> batches;
  const uint64_t epoch = progress_.position.epoch;
  for (int64_t i = 0; i < options_.optimization.accumulation; ++i) {
    LoadedBatch loaded = loader_->next();
    batches.push_back(std::move(loaded.batch));
    progress_.position = loaded.after;
  }
  epoch_ended_ = progress_.position.epoch != epoch;
  const int64_t number = progress_.updates + 1;
  return update_weights(model_.model, *optimizer_, batches, options_.optimization,
                        static_cast<uint64_t>(options_.run.seed), number, schedule_->rate(number));
}

StopReason Trainer::run(const std::function<bool()>& stop_requested) {
  const ComputeScope kernels(&Compute::kernels, options_.run.kernels);
  try {
    return train(stop_requested);
  } catch (...) {
    rethrow_unforeseen(fmt::format("{} after update {}", doing_, progress_.updates));
  }
}

StopReason Trainer::train(const std::function<bool()>& stop_requested) {
  std::optional<StopReason> reason = limit_reached();
  if (progress_.updates == 0 && reason) {
    run_.discard();
    throw Error("--max-minutes",
                "passed before the first update: reading the text and making the vocabulary count",
                "give more time");
  }
  while (!reason) {
    const auto begin = std::chrono::steady_clock::now();
    doing_ = "training";
    const auto [sums, norm] = update();
    ++progress_.updates;
    report_new_precision();
    if (average_) average_->update(progress_.updates);
    log_update(norm, sums, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());

    if (const int64_t every = options_.run.gradient_flow_every; every > 0 && progress_.updates % every == 0)
      log_gradient_flow();
    if (progress_.position.epoch > 0) report_filter();
    if (validation_due()) validate();
    reason = limit_reached();
    if (!reason && stop_requested()) reason = StopReason::signal;
    const int64_t every = options_.run.checkpoint_every;
    const bool due =
        every > 0 ? progress_.updates % every == 0 : progress_.validated_update == progress_.updates;
    if (reason && *reason != StopReason::signal && progress_.validated_update != progress_.updates)
      validate();
    if (due || reason || new_best_) save_checkpoint(new_best_);
  }
  clear_progress();
  report_filter();
  return *reason;
}

// Once, at the end of the first epoch or of the run.
void Trainer::report_filter() {
  if (filter_reported_) return;
  filter_reported_ = true;
  const FilterCounts counts = loader_->counts();
  if (counts.empty + counts.too_long + counts.ratio + counts.duplicate > 0)
    log_info("first epoch: " + counts.describe(options_.filter.maximum_length));
}

bool Trainer::validation_due() const {
  if (options_.validation.every > 0) return progress_.updates % options_.validation.every == 0;
  return epoch_ended_;
}

std::optional<StopReason> Trainer::limit_reached() const {
  const LimitOptions& limits = options_.limits;
  if (limits.max_updates > 0 && progress_.updates >= limits.max_updates) return StopReason::limit;
  if (limits.max_epochs > 0 && progress_.position.epoch >= static_cast<uint64_t>(limits.max_epochs))
    return StopReason::limit;
  if (limits.max_target_tokens > 0 && progress_.target_tokens >= limits.max_target_tokens)
    return StopReason::limit;
  // Time for one more validation and checkpoint is not set aside: they are part of the minutes only if they
  // fit.
  if (limits.max_minutes > 0 && elapsed() >= limits.max_minutes * 60) return StopReason::limit;
  const int64_t patience = options_.validation.patience;
  if (patience > 0 && progress_.stalled_validations >= patience) return StopReason::patience;
  return std::nullopt;
}

void Trainer::log_update(double gradient_norm, const UpdateSums& sums, double seconds) {
  IntervalSums& interval = progress_.interval;
  interval.loss += sums.loss;
  interval.negative_log_likelihood += sums.negative_log_likelihood;
  interval.coverage_loss += sums.coverage_loss;
  interval.gradient_norm += gradient_norm;
  interval.target_tokens += sums.target_tokens;
  interval.source_tokens += sums.source_tokens;
  progress_.target_tokens += sums.target_tokens;
  ++interval.updates;
  progress_.training_seconds += seconds;
  interval.seconds += seconds;
  const double speed = static_cast<double>(sums.target_tokens) / seconds;
  tokens_per_second_ = tokens_per_second_ == 0 ? speed : 0.95 * tokens_per_second_ + 0.05 * speed;
  show(gradient_norm, sums);
  if (progress_.updates % options_.run.log_every == 0) write_log_line();
}

void Trainer::write_log_line() {
  IntervalSums& interval = progress_.interval;
  const auto tokens = static_cast<double>(interval.target_tokens);
  const double rate = schedule_->rate(progress_.updates);
  Json line;
  line["type"] = "update";
  line["update"] = progress_.updates;
  line["epoch"] = progress_.position.epoch;
  line["loss"] = interval.loss / tokens;
  line["perplexity"] = std::exp(interval.negative_log_likelihood / tokens);
  if (options_.optimization.coverage_loss > 0) line["coverage_loss"] = interval.coverage_loss / tokens;
  line["gradient_norm"] = interval.gradient_norm / static_cast<double>(interval.updates);
  line["learning_rate"] = rate;
  line["target_tokens"] = interval.target_tokens;
  line["target_tokens_per_second"] = tokens / interval.seconds;
  line["seconds"] = elapsed();
  run_.log(dump_json(line));
  if (!stderr_is_terminal())
    log_info(
        fmt::format("update {} epoch {}: loss {:.4f}, perplexity {:.2f}, gradient norm {:.2f}, rate {:.2e}, "
                    "{} tokens/s, {}",
                    progress_.updates, progress_.position.epoch, line["loss"].get<double>(),
                    line["perplexity"].get<double>(), line["gradient_norm"].get<double>(), rate,
                    format_count(std::llround(tokens / interval.seconds)), format_duration(elapsed())));
  interval = {};
}

void Trainer::show(double gradient_norm, const UpdateSums& sums) const {
  if (!stderr_is_terminal()) return;
  const LimitOptions& limits = options_.limits;
  const double used = elapsed();
  double left = -1;
  const auto consider = [&](double seconds) { left = left < 0 ? seconds : std::min(left, seconds); };
  const double per_update = progress_.training_seconds / static_cast<double>(progress_.updates);
  if (limits.max_minutes > 0) consider(limits.max_minutes * 60 - used);
  if (limits.max_updates > 0)
    consider(per_update * static_cast<double>(limits.max_updates - progress_.updates));
  if (limits.max_target_tokens > 0)
    consider(
        progress_.training_seconds *
        (static_cast<double>(limits.max_target_tokens) / static_cast<double>(progress_.target_tokens) - 1));
  if (limits.max_epochs > 0) {
    const double epochs =
        static_cast<double>(progress_.position.epoch) +
        static_cast<double>(progress_.position.window_begin) / static_cast<double>(train_corpus_->size());
    if (epochs > 0)
      consider(progress_.training_seconds * (static_cast<double>(limits.max_epochs) / epochs - 1));
  }
  show_progress(fmt::format("update {} epoch {}  loss {:.3f}  norm {:.2f}  {} tok/s  {}{}", progress_.updates,
                            progress_.position.epoch, sums.loss / static_cast<double>(sums.target_tokens),
                            gradient_norm, format_count(std::llround(tokens_per_second_)),
                            format_duration(used), left >= 0 ? "  left " + format_duration(left) : ""));
}

void Trainer::log_gradient_flow() {
  const GradientFlow flow =
      gradient_flow(model_.model, to_tensors(make_batch(validator_->sample()), model_.model->device()));
  Json line;
  line["type"] = "gradient_flow";
  line["update"] = progress_.updates;
  line["norms"] = flow.norms;
  line["target_steps"] = flow.target_steps;
  line["parameter_norm"] = flow.parameter_norm;
  line["seconds"] = elapsed();
  run_.log(dump_json(line));
}

void Trainer::validate() {
  doing_ = "validating";
  if (average_) average_->swap();
  const ValidationResult result = validator_->run(model_.model);
  if (average_) average_->swap();
  const bool larger = larger_is_better(options_.validation.criterion);
  const bool first = progress_.best_update < 0;
  const bool improved =
      std::isfinite(result.criterion) &&
      (first || (larger ? result.criterion > progress_.best_score : result.criterion < progress_.best_score));
  if (improved) {
    progress_.best_score = result.criterion;
    progress_.best_update = progress_.updates;
  }
  progress_.stalled_validations = improved ? 0 : progress_.stalled_validations + 1;
  progress_.validated_update = progress_.updates;
  schedule_->validated(improved);
  progress_.schedule = schedule_->state();
  last_scores_ = result.scores;
  new_best_ = improved;

  Json line;
  line["type"] = "validation";
  line["update"] = progress_.updates;
  line["epoch"] = progress_.position.epoch;
  line["target_tokens"] = progress_.target_tokens;
  std::string text;
  for (const auto& [name, score] : result.scores) {
    line[name] = score;
    text += fmt::format("{}{} {:.4g}", text.empty() ? "" : ", ", name, score);
  }
  line["best"] = improved;
  line["validation_seconds"] = result.seconds;
  line["peak_memory_mib"] = peak_memory_mib();
  line["seconds"] = elapsed();
  run_.log(dump_json(line));
  log_info(fmt::format("validation at update {}: {}{}, {}", progress_.updates, text,
                       improved ? " (best)" : "", format_duration(elapsed())));
}

void Trainer::save_checkpoint(bool best) {
  doing_ = "saving";
  Json provenance;
  provenance["update"] = progress_.updates;
  provenance["epoch"] = progress_.position.epoch;
  provenance["training-seconds"] = progress_.training_seconds;
  if (progress_.validated_update == progress_.updates) provenance["validation"] = last_scores_;
  provenance["history"] = parse_json(run_.validations(), "train.jsonl");
  provenance["data"] = parse_json(fingerprints_, "fingerprints");
  provenance["training"] = training_options(options_);
  model_.provenance = dump_json(provenance, 2);
  run_.checkpoint(progress_.updates, best, options_.run.keep_checkpoints,
                  [&](const std::filesystem::path& folder) {
                    TrainingState state{progress_, optimizer_->state()};
                    for (const auto& [name, tensor] : named_parameters_of(*model_.model))
                      state.tensors["weight/" + name] = tensor;
                    if (average_) state.tensors.merge(average_->state());
                    save_training_state(state, folder / "state.pt");
                    if (average_) average_->swap();
                    TranslationModel saved = on_cpu(model_);
                    saved.self_test = to_json(self_test(saved));
                    save_model(saved, folder / "model.pt");
                    if (average_) average_->swap();
                  });
  new_best_ = false;
}

}  // namespace seq2seq
