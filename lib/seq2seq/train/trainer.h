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
  /// Error, and UsageError for options that do not fit together. A run is resumed with the text that it was
  /// trained on; if another is accepted, its present epoch begins again.
  explicit Trainer(const TrainOptions& options, std::optional<RunDirectory> resumed = std::nullopt,
                   Clock::time_point started = Clock::now(), OtherText other_text = OtherText::refused);
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  /// Returns after training has ended and its last checkpoint is written. `stop_requested`, if given, is
  /// called after each update. Throws Error; if the text is changed meanwhile, once a checkpoint is written.
  StopReason run(const std::function<bool()>& stop_requested = {});
  /// The updates of the run so far.
  int64_t updates() const { return progress_.updates; }

 private:
  void set_up(OtherText other_text);
  void resume(OtherText other_text);
  /// Those whose content is another than that of the last checkpoint.
  TrainingText::OtherFiles other_files() const;
  void begin_epoch_again(const TrainingText::OtherFiles& other);
  void tell_changed_text();
  /// `changed` files are told of elsewhere.
  void tell_moved_text(const std::vector<std::string>& changed) const;
  /// Once the first update of this process has succeeded: only from here on does the run directory change, so
  /// that a start that fails leaves what was there.
  void begin_or_go_on();
  /// Logs and stores what differs from the earlier updates: the schedule's end, the precision, the text.
  void note_changes();
  StopReason train(const std::function<bool()>& stop_requested);
  std::vector<Batch> next_batches();
  void save(bool best);
  [[noreturn]] void end_with(const ChangedText& change);
  /// Returns whether the score is the best so far. `extra`: it is not due, and counts for nothing but `best`,
  /// until the run is resumed.
  bool validate(bool extra);
  /// Checks what validation will say, and tells how it is settled.
  void settle_validation();
  /// Of a resumed run: tells whether its scores mean the same as before, and finds the best decisive one.
  void compare_with_earlier_validations();

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
  std::map<std::string, double> scores_;         // of a validation after the last update
  std::optional<ChangedTextLine> changed_text_;  // if the run goes on with another
  int64_t saved_update_ = 0;                     // of the last checkpoint
  const char* doing_ = "beginning";              // for error messages
};

}  // namespace seq2seq
