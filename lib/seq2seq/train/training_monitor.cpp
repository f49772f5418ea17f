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

}  // namespace

void TrainingMonitor::begun(const Progress& progress, const TranslationModel& model, size_t validation_pairs,
                            bool resumed) {
  filter_told_ = resumed;
  if (const Precision precision = options_.optimization.precision; precision != Precision::float32)
    log_info(fmt::format("products are computed in {}", option_name(precision)));
  const int threads = at::get_num_threads();
  log_info(
      fmt::format("{}: {} pairs, {} validation pairs; vocabulary {} and {}; {} parameters; {} thread{}",
                  resumed ? fmt::format("resuming at update {}", progress.updates) : std::string("training"),
                  format_count(progress.training_pairs), format_count(static_cast<int64_t>(validation_pairs)),
                  format_count(model.text.source->vocabulary().size()),
                  format_count(model.text.target->vocabulary().size()),
                  format_count(parameter_count(*model.model)), threads, threads == 1 ? "" : "s"));
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

void TrainingMonitor::validated(const Progress& progress, const ValidationResult& result, bool best) {
  ValidationLine line;
  line.update = progress.updates;
  line.epoch = static_cast<int64_t>(progress.position.epoch);
  line.target_tokens = progress.target_tokens;
  line.scores = result.scores;
  line.best = best;
  line.validation_seconds = result.seconds;
  line.peak_memory_mib = peak_memory_mib();
  line.seconds = stop_rule_.seconds();
  log_.write(line);
  std::string scores;
  for (const auto& [metric, score] : line.scores)
    scores += fmt::format("{}{} {:.4g}", scores.empty() ? "" : ", ", metric, score);
  log_info(fmt::format("validation at update {}: {}{}, {}", line.update, scores, best ? " (best)" : "",
                       format_duration(line.seconds)));
}

void TrainingMonitor::gradient_flow_measured(const Progress& progress, const GradientFlow& flow) {
  log_.write(GradientFlowLine{progress.updates, flow, stop_rule_.seconds()});
}

void TrainingMonitor::precision_changed(const Progress& progress, Precision before, Precision now) {
  log_warning(
      fmt::format("products were computed in {} until here, from here on in {}: the bits are no longer "
                  "those of a run that never changed",
                  option_name(before), option_name(now)));
  log_.write(PrecisionLine{progress.updates, option_name(now)});
}

void TrainingMonitor::text_moved(const std::vector<std::string>& paths) {
  log_info(joined(paths) + ": the same text as the run was trained on, in another place");
}

void TrainingMonitor::text_changed(const ChangedTextLine& line) {
  log_warning(fmt::format(
      "{}: not the text that the run was trained on, as --accept-changed-text allows: epoch {} begins again{}{}",
      line.files, line.epoch + 1,
      line.held_out > 0 ? fmt::format(", the {} held-out pairs are drawn anew", format_count(line.held_out))
                        : "",
      line.best_forgotten ? ", and the next validation is the first for best and patience" : ""));
}

void TrainingMonitor::filtered(const Loader& loader) {
  if (filter_told_) return;
  filter_told_ = true;
  const FilterCounts counts = loader.counts();
  if (counts.empty + counts.too_long + counts.ratio + counts.duplicate > 0)
    log_info("first epoch: " + counts.describe(options_.filter.maximum_length));
}

}  // namespace seq2seq
