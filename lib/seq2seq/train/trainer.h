#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "seq2seq/core/clock.h"
#include "seq2seq/data/loader.h"
#include "seq2seq/train/checkpointer.h"
#include "seq2seq/train/run_directory.h"
#include "seq2seq/train/run_log.h"
#include "seq2seq/train/schedule.h"
#include "seq2seq/train/stop_rule.h"
#include "seq2seq/train/training_monitor.h"
#include "seq2seq/train/training_text.h"
#include "seq2seq/train/update.h"
#include "seq2seq/train/validator.h"

namespace seq2seq {

/// Trains one model in one run directory until a limit, patience or a signal ends it.
class Trainer {
 public:
  /// Starts a run in options.run.directory, or resumes `resumed`, which is that directory. --max-minutes and
  /// the log's seconds count from `started`. Reads the corpora and builds or loads the vocabularies. Throws
  /// Error, and UsageError for options that do not fit together.
  explicit Trainer(const TrainOptions& options, std::optional<RunDirectory> resumed = std::nullopt,
                   Clock::time_point started = Clock::now());
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  /// Returns after training has ended and its last checkpoint is written. `stop_requested`, if given, is
  /// called after each update.
  StopReason run(const std::function<bool()>& stop_requested = {});
  /// The updates of the run so far.
  int64_t updates() const { return progress_.updates; }

 private:
  void set_up();
  /// Once the first update of this process has succeeded: only from here on does the run directory change, so
  /// that a start that fails leaves what was there.
  void begin_or_go_on();
  /// Logs and stores the end of the schedule if it differs from that of the earlier updates.
  void note_schedule_end();
  StopReason train(const std::function<bool()>& stop_requested);
  std::vector<Batch> next_batches();
  /// Returns whether the score is the best so far. `extra`: it is not due, and counts for nothing but `best`,
  /// until the run is resumed.
  bool validate(bool extra);
  /// Checks what validation will say, and tells how it is settled.
  void settle_validation();
  /// Of a resumed run: tells whether its scores mean the same as before, and finds the best decisive one.
  void compare_with_earlier_validations();
  /// Logs and stores the precision if it differs from that of the earlier updates.
  void note_precision();

  TrainOptions options_;
  bool resumed_, begun_ = false;
  RunDirectory run_;
  RunLog log_;
  StopRule stop_rule_;
  TrainingMonitor monitor_;
  Schedule schedule_;
  Progress progress_;
  std::unique_ptr<TrainingText> text_;
  TranslationModel model_;
  std::unique_ptr<Update> update_;
  std::unique_ptr<Checkpointer> checkpointer_;
  std::unique_ptr<Validator> validator_;
  std::unique_ptr<Loader> loader_;
  std::map<std::string, double> scores_;  // of a validation after the last update
  const char* doing_ = "beginning";       // for error messages
};

}  // namespace seq2seq
