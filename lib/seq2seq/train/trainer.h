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
  /// Begins a run in options.run.directory or goes on with `resumed`, which lies there. `started` is what
  /// --max-minutes and the log's seconds count from. Reads the corpora and makes or loads the vocabularies.
  /// Throws Error, and UsageError for options that do not fit together.
  explicit Trainer(const TrainOptions& options, std::optional<RunDirectory> resumed = std::nullopt,
                   Clock::time_point started = Clock::now());
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  /// Returns when training has ended and its last checkpoint is written. `stop_requested`, where there is
  /// one, is asked after each update.
  StopReason run(const std::function<bool()>& stop_requested = {});

 private:
  void set_up();
  StopReason train(const std::function<bool()>& stop_requested);
  std::vector<Batch> next_batches();
  /// Whether the model is better than ever.
  bool validate();
  /// Once an update has been made in another number format than those before it.
  void note_precision();

  TrainOptions options_;
  bool resumed_;
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
  std::map<std::string, double> scores_;  // of the last validation
  const char* doing_ = "beginning";       // for messages
};

}  // namespace seq2seq
