#include "seq2seq/train/training_monitor.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <cmath>

#include "seq2seq/core/join.h"
#include "seq2seq/core/log.h"
#include "seq2seq/core/peak_memory.h"

namespace seq2seq {
namespace {

/// "12% waiting for data" behind `separator`, where it is worth telling: more threads may help then.
std::string wait_text(const IntervalSums& interval, const char* separator) {
  constexpr double worth_telling = 0.05;
  const double share = interval.wait_share();
  return share > worth_telling ? fmt::format("{}{:.0f}% waiting for data", separator, 100 * share) : "";
}

/// "10 of them held out for validation", "298 validation pairs (2 of 300 have an empty side)".
std::string validation_text(const HeldOut& held_out, const Validator& validator) {
  const auto number = [](size_t count) { return format_count(static_cast<int64_t>(count)); };
  const std::string empty = validator.left_out() == 0
                                ? ""
                                : fmt::format(" ({} of {} have an empty side)", number(validator.left_out()),
                                              number(validator.size() + validator.left_out()));
  return held_out.examples.empty()
             ? fmt::format("{} validation pair{}{}", number(validator.size()),
                           validator.size() == 1 ? "" : "s", empty)
             : fmt::format("{} of them held out for validation{}", number(held_out.examples.size()), empty);
}

}  // namespace

void TrainingMonitor::begun(const Progress& progress, const TranslationModel& model, const HeldOut& held_out,
                            const Validator& validator, bool resumed) {
  pairs_told_ = progress.position.epoch > 0 || !progress.counted;
  scoring_ = &validator.scoring();
  if (const Precision precision = options_.optimization.precision; precision != Precision::float32)
    log_info(fmt::format("products are computed in {}", option_name(precision)));
  const int threads = at::get_num_threads();
  log_info(fmt::format(
      "{}: {} pairs read, {}{}; vocabulary {} and {}; {} parameters; {} thread{}",
      resumed ? fmt::format("resuming at update {}", progress.updates) : std::string("training"),
      format_count(progress.training_pairs), validation_text(held_out, validator),
      held_out.copies > 0
          ? fmt::format(", {} copies of these left out", format_count(static_cast<int64_t>(held_out.copies)))
          : "",
      format_count(model.text.source->vocabulary().size()),
      format_count(model.text.target->vocabulary().size()), format_count(parameter_count(*model.model)),
      threads, threads == 1 ? "" : "s"));
}

void TrainingMonitor::updated(Progress& progress, const UpdateResult& update, double learning_rate,
                              double seconds) {
  const double speed = static_cast<double>(update.sums.target_tokens) / seconds;
  tokens_per_second_ = tokens_per_second_ == 0 ? speed : 0.95 * tokens_per_second_ + 0.05 * speed;
  show(progress, update);
  if (!progress.due(options_.run.log_every)) return;
  write_interval(progress.interval, progress, learning_rate);
  progress.interval = {};
}

void TrainingMonitor::write_interval(const IntervalSums& interval, const Progress& progress,
                                     double learning_rate) {
  const auto tokens = static_cast<double>(interval.target_tokens);
  UpdateLine line;
  line.update = progress.updates;
  line.epoch = static_cast<int64_t>(progress.position.epoch);
  line.loss = interval.loss / tokens;
  line.perplexity = std::exp(interval.negative_log_likelihood / tokens);
  if (options_.optimization.coverage_loss > 0) line.coverage_loss = interval.coverage_loss / tokens;
  line.gradient_norm = interval.gradient_norm / static_cast<double>(interval.updates);
  line.learning_rate = learning_rate;
  line.target_tokens = interval.target_tokens;
  line.target_tokens_per_second = tokens / interval.seconds;
  line.data_wait_share = interval.wait_share();
  line.seconds = stop_rule_.seconds();
  log_.write(line);
  if (stderr_is_terminal()) return;
  log_info(
      fmt::format("update {} epoch {}: loss {:.4f}, perplexity {:.2f}, gradient norm {:.2f}, rate {:.2e}, "
                  "{} tokens/s, {}{}",
                  line.update, line.epoch, line.loss, line.perplexity, line.gradient_norm, learning_rate,
                  format_count(std::llround(line.target_tokens_per_second)), format_duration(line.seconds),
                  wait_text(interval, ", ")));
}

void TrainingMonitor::show(const Progress& progress, const UpdateResult& update) const {
  if (!stderr_is_terminal()) return;
  const auto left = stop_rule_.seconds_left(progress);
  show_progress(
      fmt::format("update {} epoch {}  loss {:.3f}  norm {:.2f}  {} tok/s  {}{}{}", progress.updates,
                  progress.position.epoch, update.sums.loss / static_cast<double>(update.sums.target_tokens),
                  update.gradient_norm, format_count(std::llround(tokens_per_second_)),
                  format_duration(stop_rule_.seconds()), left ? "  left " + format_duration(*left) : "",
                  wait_text(progress.interval, "  ")));
}

void TrainingMonitor::validated(const Progress& progress, const ValidationResult& result, bool best,
                                bool extra) {
  ValidationLine line;
  line.update = progress.updates;
  line.epoch = static_cast<int64_t>(progress.position.epoch);
  line.target_tokens = progress.target_tokens;
  line.scores = result.scores;
  if (!scoring_->signatures.empty()) line.signatures = scoring_->signatures;
  line.best = best;
  if (extra) line.extra = true;
  line.validation_seconds = result.seconds;
  line.peak_memory_mib = peak_memory_mib();
  line.seconds = stop_rule_.seconds();
  log_.write(line);
  std::string scores;
  for (const auto& [metric, score] : line.scores)
    scores += fmt::format("{}{} {:.4g}{}", scores.empty() ? "" : ", ", metric, score,
                          scoring_->is_silent(metric) ? " (cannot rise)" : "");
  log_info(fmt::format("{}validation at update {}: {}{}, {}", extra ? "extra " : "", line.update, scores,
                       best ? " (best)" : "", format_duration(line.seconds)));
}

void TrainingMonitor::gradient_flow_measured(const Progress& progress, const GradientFlow& flow) {
  log_.write(GradientFlowLine{progress.updates, flow, stop_rule_.seconds()});
}

void TrainingMonitor::schedule_ends_early(int64_t end) const {
  const int64_t limit = options_.limits.max_updates;
  log_warning(fmt::format(
      "the schedule of the learning rate ends at update {}, --max-updates is {}: from update {} on the rate is "
      "0, and nothing is learned; give --schedule.updates {} or --max-updates {}",
      end, limit, end, limit, end));
}

void TrainingMonitor::schedule_changed(const Progress& progress, const Schedule& before,
                                       const Schedule& now) {
  const int64_t next = progress.updates + 1;
  const double rate = now.rate(next), rate_before = before.rate(next);
  log_warning(fmt::format(
      "the schedule of the learning rate ends at update {} instead of {}: the rate of update {} is {:.4g}, {}",
      now.end().value_or(0), before.end().value_or(0), next, rate,
      rate == rate_before ? "as before" : fmt::format("not {:.4g}", rate_before)));
}

void TrainingMonitor::precision_changed(const Progress& progress, Precision before, Precision now) {
  log_warning(
      fmt::format("products were computed in {} until here, from here on in {}: the bits are no longer "
                  "those of a run that never changed",
                  option_name(before), option_name(now)));
  log_.write(PrecisionLine{progress.updates + 1, option_name(now)});
}

void TrainingMonitor::text_moved(const std::vector<std::string>& paths) const {
  log_info(joined(paths) + ": the same text as before, in another place");
}

void TrainingMonitor::text_changed(const ChangedTextLine& line) {
  log_warning(fmt::format(
      "{}: not the text of the run so far, as --accept-changed-text allows: epoch {} begins again{}{}",
      line.files, line.epoch + 1,
      line.held_out > 0 ? fmt::format(", the {} held-out pairs are drawn anew", format_count(line.held_out))
                        : "",
      line.best_forgotten ? ", and the next validation is the first for best and patience" : ""));
}

void TrainingMonitor::count_pairs(const Progress& progress, const Loader& loader) {
  constexpr uint64_t enough = 1000;  // pairs, to tell that few are kept
  if (pairs_told_) return;
  const FilterCounts counts = loader.counts();
  const bool epoch_ended = progress.position.epoch > 0;
  if (epoch_ended || counts.total() >= enough) warn_of_few(counts, progress);
  if (epoch_ended) write_pairs(counts, progress);
}

void TrainingMonitor::count_last_pairs(const Progress& progress, const Loader& loader) {
  if (pairs_told_ || loader.counts().total() == 0) return;
  warn_of_few(loader.counts(), progress);
  write_pairs(loader.counts(), progress);
}

void TrainingMonitor::warn_of_few(const FilterCounts& counts, const Progress& progress) {
  if (few_told_ || !counts.keeps_few()) return;
  few_told_ = true;
  log_warning(fmt::format("{}most pairs are left out: {}; {}", progress.position.epoch > 0 ? "" : "so far, ",
                          counts.describe(options_.filter.maximum_length), counts.remedy(options_.filter)));
}

void TrainingMonitor::write_pairs(const FilterCounts& counts, const Progress& progress) {
  pairs_told_ = true;
  const auto number = [](uint64_t count) { return static_cast<int64_t>(count); };
  PairsLine line;
  line.update = progress.updates;
  line.whole_epoch = progress.position.epoch > 0;
  line.read = number(counts.total());
  line.trained_on = number(counts.trained_on());
  line.waiting = number(counts.waiting);
  line.held_out = number(counts.held_out);
  line.held_out_copies = number(counts.held_out_copies);
  line.empty = number(counts.empty);
  line.too_long = number(counts.too_long);
  line.unlike_lengths = number(counts.ratio);
  line.duplicates = number(counts.duplicate);
  log_.write(line);
  log_info((line.whole_epoch ? "first epoch: " : "first epoch, so far: ") +
           counts.describe(options_.filter.maximum_length));
}

}  // namespace seq2seq
