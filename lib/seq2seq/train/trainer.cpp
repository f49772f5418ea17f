#include "seq2seq/train/trainer.h"

#include <fmt/format.h>

#include "seq2seq/core/error.h"
#include "seq2seq/core/log.h"
#include "seq2seq/model/gradient_flow.h"
#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/engine/cuda_settings.h"

namespace seq2seq {

StopReason Trainer::run(const std::function<bool()>& stop_requested) {
  const ComputeScope kernels(&Compute::kernels, options_.run.kernels);
  const DeterministicScope bits(model_.model->device(), options_.optimization.deterministic);
  try {
    return train(stop_requested);
  } catch (const ChangedText& change) {
    end_with(change);
  } catch (...) {
    run_.discard();
    rethrow_unforeseen(fmt::format("{} after update {}", doing_, progress_.updates));
  }
}

StopReason Trainer::train(const std::function<bool()>& stop_requested) {
  std::optional<StopReason> reason = stop_rule_.reached(progress_);
  if (reason && progress_.updates == 0)
    throw Error("--max-minutes",
                "passed before the first update: reading the text and making the vocabulary count",
                "give more time");
  while (!reason) {
    doing_ = "training";
    const auto begin = Clock::now();
    const int64_t number = progress_.updates + 1;
    const uint64_t epoch = progress_.position.epoch;
    const double rate = schedule_.rate(number);
    const std::vector<Batch> batches = next_batches();
    const double waited_seconds = seconds_since(begin);
    const UpdateResult update = update_->run(batches, number, rate);
    const double seconds = seconds_since(begin);

    if (!begun_) begin_or_go_on();
    progress_.count(update, seconds, waited_seconds);
    scores_.clear();
    monitor_.updated(progress_, update, rate, seconds);
    if (progress_.due(options_.run.gradient_flow_every)) {
      const TensorBatch sample = to_tensors(make_batch(validator_->sample()), model_.model->device());
      monitor_.gradient_flow_measured(progress_, gradient_flow(model_.model, sample));
    }
    monitor_.count_pairs(progress_, *loader_);

    const int64_t every = options_.validation.every;
    const bool epoch_ended = progress_.position.epoch != epoch;
    const bool due = every > 0 ? progress_.due(every) : epoch_ended;
    bool best = due && validate(/*extra=*/false);
    reason = stop_rule_.reached(progress_, stop_requested);
    // A requested stop does not wait for a validation.
    if (reason && *reason != StopReason::signal && !due) best = validate(/*extra=*/true);

    if (best || reason || checkpointer_->due(progress_)) save(best);
  }
  clear_progress();
  monitor_.count_last_pairs(progress_, *loader_);
  return *reason;
}

std::vector<Batch> Trainer::next_batches() {
  std::vector<Batch> batches;
  SamplerPosition after = progress_.position;
  std::optional<FilterCounts> counted = progress_.counted;
  for (int64_t i = 0; i < options_.optimization.accumulation; ++i) {
    LoadedBatch loaded = loader_->next();
    batches.push_back(std::move(loaded.batch));
    after = loaded.after;
    if (counted) counted = loaded.counted;
  }
  text_->require_same();
  progress_.position = after;
  progress_.counted = counted;
  return batches;
}

void Trainer::save(bool best) {
  doing_ = "saving";
  checkpointer_->save(progress_, model_, *update_, scores_, best);
  saved_update_ = progress_.updates;
}

void Trainer::end_with(const ChangedText& change) {
  clear_progress();
  if (progress_.updates == 0) {
    run_.discard();
    throw;
  }
  if (progress_.updates != saved_update_) save(/*best=*/false);
  throw Error(change.place(), change.problem(),
              fmt::format("the run is saved at update {}: put the text back and go on with --resume "
                          "--run-directory {}, or add --accept-changed-text to go on with the new one",
                          progress_.updates, options_.run.directory));
}

bool Trainer::validate(bool extra) {
  doing_ = "validating";
  const ValidationResult result = [&] {
    const AveragedWeights averages = update_->averaged_weights();
    return validator_->run(model_.model);
  }();
  const bool larger = larger_is_better(*validator_->scoring().decisive);
  const bool best = extra ? progress_.is_best(result.criterion, larger)
                          : progress_.count_validation(result.criterion, larger);
  if (!extra) {
    schedule_.validated(best);
    progress_.schedule = schedule_.state();
  }
  scores_ = result.scores;
  monitor_.validated(progress_, result, best, extra);
  return best;
}

}  // namespace seq2seq
