#pragma once

#include "seq2seq/data/loader.h"
#include "seq2seq/model/archive/checkpoint.h"
#include "seq2seq/train/run_log.h"
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

  void begun(const Progress& progress, const TranslationModel& model, size_t validation_pairs, bool resumed);
  /// Call it after each update, once `progress` has counted it; after a log line, a new interval begins.
  void updated(Progress& progress, const UpdateResult& update, double learning_rate, double seconds);
  void validated(const Progress& progress, const ValidationResult& result, bool best);
  void gradient_flow_measured(const Progress& progress, const GradientFlow& flow);
  /// `before`: precision of the updates before the last one; `now`: of the last one.
  void precision_changed(const Progress& progress, Precision before, Precision now);
  /// The files that have moved since the run began, and still are the same text.
  void text_moved(const std::vector<std::string>& paths);
  /// From the next update on the run is trained on another text.
  void text_changed(const ChangedTextLine& line);
  /// Logs what the filter has left out in the first epoch: once, and not in a resumed run.
  void filtered(const Loader& loader);

 private:
  void write_interval(const IntervalSums& interval, const Progress& progress, double learning_rate);
  void show(const Progress& progress, const UpdateResult& update) const;

  RunLog& log_;
  const TrainOptions& options_;
  const StopRule& stop_rule_;
  bool filter_told_ = false;
  double tokens_per_second_ = 0;  // moving average
};

}  // namespace seq2seq
