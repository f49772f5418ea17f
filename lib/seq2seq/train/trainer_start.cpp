// How a run begins or goes on; trainer.cpp is what it does then.

#include "seq2seq/train/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "seq2seq/core/error.h"
#include "seq2seq/core/join.h"
#include "seq2seq/core/json.h"
#include "seq2seq/core/log.h"
#include "seq2seq/model/device.h"
#include "seq2seq/train/given_text.h"
#include "seq2seq/train/new_model.h"

namespace seq2seq {
namespace {

TrainOptions prepared(TrainOptions options, const std::optional<RunDirectory>& resumed) {
  if (resumed) options.validation.settle_resumed(resumed->options().validation);
  check(options, resumed ? &resumed->options() : nullptr);
  use_threads(options.run.threads);
  // Stored with the run, so that it is resumed with the same precision.
  options.optimization.precision = resolved(options.optimization.precision, options.run);
  return options;
}

/// Of the text's files; empty where there is none.
std::vector<std::string> paths_of(const DataOptions& data) {
  return {data.train_source, data.train_target, data.train, data.valid_source, data.valid_target, data.valid};
}

}  // namespace

Trainer::Trainer(const TrainOptions& options, std::optional<RunDirectory> resumed, Clock::time_point started,
                 OtherText other_text)
    : options_(prepared(options, resumed)),
      resumed_(resumed.has_value()),
      run_(resumed_ ? std::move(*resumed) : RunDirectory::create(options_)),
      log_(run_.path()),
      stop_rule_(options_.limits, options_.validation.patience, started),
      monitor_(log_, options_, stop_rule_),
      schedule_(options_.optimization, run_.options().limits) {
  try {
    set_up(other_text);
  } catch (...) {
    run_.discard();
    throw;
  }
}

void Trainer::set_up(OtherText other_text) {
  const auto seed = static_cast<uint64_t>(options_.run.seed);
  text_ = std::make_unique<TrainingText>(options_.data, seed);
  model_ = model_to_train(options_, text_->training(),
                          resumed_ ? run_.last_checkpoint().string() : options_.run.initialize_from);
  update_ = std::make_unique<Update>(model_.model, options_.optimization, seed);
  checkpointer_ = std::make_unique<Checkpointer>(run_, log_, options_, *text_);
  progress_.training_pairs = text_->pairs();
  if (resumed_)
    resume(other_text);
  else
    check_given_text(options_, text_->training(), model_.text);
  text_->hold_out(progress_.held_out_rule, options_.filter, model_.text);
  validator_ = std::make_unique<Validator>(text_->validation(), text_->validation_examples(), model_.text,
                                           options_.validation, options_.filter.maximum_length);
  settle_validation();
  loader_ = text_->loader(options_, model_.text, progress_);
  tell_changed_text();
  if (const auto end = schedule_.end();
      end && *end < options_.limits.max_updates && schedule_.rate(options_.limits.max_updates) == 0)
    monitor_.schedule_ends_early(*end);
  monitor_.begun(progress_, model_, text_->held_out(), *validator_, resumed_);
}

void Trainer::settle_validation() {
  const ValidationScoring& scoring = validator_->scoring();
  ValidationOptions& options = options_.validation;
  if (!resumed_) refuse_empty_references(options, validator_->references());
  tell_scoring(scoring, options, validator_->references(), !resumed_);
  if (options.rouge_tokenizer == RougeTokenizer::automatic && options.heeds(&MetricHeeds::rouge_tokenizer))
    options.rouge_tokenizer = scoring.options.rouge_tokenizer;  // stored with the run when it begins
  if (scoring.criterion_is_silent) stop_rule_.ignore_patience();
  if (progress_.best_update >= 0) compare_with_earlier_validations();
}

void Trainer::compare_with_earlier_validations() {
  if (!std::filesystem::exists(run_.path() / RunLog::file_name)) return;
  const ValidationScoring& scoring = validator_->scoring();
  const auto earlier = lines_of<ValidationLine>(RunLog::read(run_.path()));
  if (!earlier.empty() && earlier.back().signatures && *earlier.back().signatures != scoring.signatures)
    log_warning(fmt::format("scores were {} until here, from here on they are {}", *earlier.back().signatures,
                            scoring.signatures));
  if (!scoring.criterion_is_silent) return;
  // The best score may be one of the criterion: earlier versions let it decide.
  for (const ValidationLine& line : earlier)
    if (line.update == progress_.best_update) progress_.best_score = line.score(scoring.decisive->name);
}

void Trainer::resume(OtherText other_text) {
  const TrainingText::OtherFiles other = other_files();
  const std::vector<std::string> paths = other.paths();
  const bool changed = !paths.empty();
  if (changed && other_text == OtherText::refused)
    throw Error(
        joined(paths), other.problem(),
        fmt::format("give the run its text back, or add --accept-changed-text, which begins the present "
                    "epoch again and {}",
                    other.training.empty() ? "takes the next validation for the first"
                                           : "draws held-out pairs anew"));
  tell_moved_text(paths);
  progress_ = checkpointer_->restore(*update_, changed ? OtherText::accepted : OtherText::refused);
  saved_update_ = progress_.updates;
  if (changed) begin_epoch_again(other);
  schedule_.restore(progress_.schedule);
}

TrainingText::OtherFiles Trainer::other_files() const {
  const Json provenance = parse_json(model_.provenance, "provenance");
  if (!provenance.contains("data")) return {};  // early versions have not written it
  return text_->other_files(dump_json(provenance["data"]));
}

void Trainer::begin_epoch_again(const TrainingText::OtherFiles& other) {
  progress_.begin_epoch_again(text_->pairs());
  if (other.other_validation) progress_.forget_validations();
  changed_text_ = ChangedTextLine{.update = progress_.updates + 1,
                                  .epoch = static_cast<int64_t>(progress_.position.epoch),
                                  .files = joined(other.paths()),
                                  .best_forgotten = other.other_validation};
}

void Trainer::tell_changed_text() {
  if (!changed_text_) return;
  if (options_.data.valid_files().empty())
    changed_text_->held_out = static_cast<int64_t>(text_->validation_examples().size());
  monitor_.text_changed(*changed_text_);
}

void Trainer::tell_moved_text(const std::vector<std::string>& changed) const {
  const std::vector<std::string> before = paths_of(run_.options().data), now = paths_of(options_.data);
  std::vector<std::string> moved;
  for (size_t i = 0; i < now.size(); ++i)
    if (now[i] != before[i] && std::find(changed.begin(), changed.end(), now[i]) == changed.end())
      moved.push_back(now[i]);
  if (!moved.empty()) monitor_.text_moved(moved);
}

void Trainer::begin_or_go_on() {
  if (resumed_) {
    checkpointer_->go_on(progress_);
    note_changes();
  } else {
    run_.begin(options_);
  }
  begun_ = true;
}

void Trainer::note_changes() {
  TrainOptions before = run_.options(), now = before;
  Schedule schedule_before(before.optimization, before.limits);
  if (schedule_before.end() != schedule_.end()) {
    schedule_before.restore(progress_.schedule);
    monitor_.schedule_changed(progress_, schedule_before, schedule_);
    now.optimization.schedule = options_.optimization.schedule;
  }
  if (const Precision precision = options_.optimization.precision;
      precision != before.optimization.precision) {
    monitor_.precision_changed(progress_, before.optimization.precision, precision);
    now.optimization.precision = precision;
  }
  if (paths_of(before.data) != paths_of(options_.data)) now.data = options_.data;
  if (changed_text_) log_.write(*changed_text_);
  if (!differing_fields(before, now).empty()) run_.set_options(now);
}

}  // namespace seq2seq
