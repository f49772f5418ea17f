#pragma once

#include "seq2seq/data/held_out.h"
#include "seq2seq/data/loader.h"
#include "seq2seq/model/archive/checkpoint.h"
#include "seq2seq/train/run_log.h"
#include "seq2seq/train/schedule.h"
#include "seq2seq/train/stop_rule.h"
#include "seq2seq/train/training_state.h"
#include "seq2seq/train/validator.h"

namespace seq2seq {

/// The output of a training run: the lines of train.jsonl, their short form on stderr, and the progress line
/// of a terminal.
class TrainingMonitor {
 public:
  /// All arguments must outlive it.
  TrainingMonitor(RunLog& log, const TrainOptions& options, const StopRule& stop_rule)
      : log_(log), options_(options), stop_rule_(stop_rule) {}

  /// `validator` must outlive it, too.
  void begun(const Progress& progress, const TranslationModel& model, const HeldOut& held_out,
             const Validator& validator, bool resumed);
  /// Call it after each update, once `progress` has counted it; after a log line, a new interval begins.
  void updated(Progress& progress, const UpdateResult& update, double learning_rate, double seconds);
  /// `extra`: it was not due, but made because the run ends here.
  void validated(const Progress& progress, const ValidationResult& result, bool best, bool extra);
  void gradient_flow_measured(const Progress& progress, const GradientFlow& flow);
  /// The rate is 0 from update `end` on, which the limit lies behind.
  void schedule_ends_early(int64_t end) const;
  /// The updates behind `progress` follow `now` instead of `before`, with another end.
  void schedule_changed(const Progress& progress, const Schedule& before, const Schedule& now);
  /// The updates behind `progress` are computed in `now` instead of `before`.
  void precision_changed(const Progress& progress, Precision before, Precision now);
  /// The files that have moved since the run began, and still are the same text.
  void text_moved(const std::vector<std::string>& paths) const;
  /// From the next update on the run is trained on another text.
  void text_changed(const ChangedTextLine& line);
  /// Call it after each update: once the first epoch has ended, logs what has become of its pairs. Warns as
  /// soon as it is known that few are kept.
  void count_pairs(const Progress& progress, const Loader& loader);
  /// The same when training ends, of what the first epoch has read until then.
  void count_last_pairs(const Progress& progress, const Loader& loader);

 private:
  void write_pairs(const FilterCounts& counts, const Progress& progress);
  void warn_of_few(const FilterCounts& counts, const Progress& progress);
  void write_interval(const IntervalSums& interval, const Progress& progress, double learning_rate);
  void show(const Progress& progress, const UpdateResult& update) const;

  RunLog& log_;
  const TrainOptions& options_;
  const StopRule& stop_rule_;
  const ValidationScoring* scoring_ = nullptr;
  bool pairs_told_ = false, few_told_ = false;
  double tokens_per_second_ = 0;  // moving average
};

}  // namespace seq2seq
