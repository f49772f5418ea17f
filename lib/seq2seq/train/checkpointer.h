#pragma once

#include <map>
#include <string>

#include "seq2seq/model/archive/checkpoint.h"
#include "seq2seq/train/run_directory.h"
#include "seq2seq/train/run_log.h"
#include "seq2seq/train/training_state.h"
#include "seq2seq/train/training_text.h"

namespace seq2seq {

/// Decides when a run is saved; saves state.pt, to resume training, and model.pt, to translate with.
class Checkpointer {
 public:
  /// All arguments must outlive it.
  Checkpointer(RunDirectory& run, RunLog& log, const TrainOptions& options, const TrainingText& text)
      : run_(run), log_(log), options_(options), text_(text) {}

  /// Whether `--checkpoint-every` requires a checkpoint after the last update. The trainer also saves at the
  /// end of a run and after each new best score.
  bool due(const Progress& progress) const;
  /// `model` is the one that `update` trains, `scores` are those of a validation after the last update, empty
  /// without one; `best`: they are the best so far. Throws Error.
  void save(const Progress& progress, const TranslationModel& model, Update& update,
            const std::map<std::string, double>& scores, bool best);
  /// Loads weights and optimizer state of the last checkpoint into `update`; the run stays as it is. Throws
  /// Error if they do not fit the model or, unless that is accepted, belong to another text.
  Progress restore(Update& update, OtherText other = OtherText::refused);
  /// To be called before the first update behind `progress`, which was restored: takes the log back to it, and
  /// an extra validation out of `best` (RunDirectory::go_on).
  void go_on(const Progress& progress);

 private:
  std::string provenance(const Progress& progress, const std::map<std::string, double>& scores) const;
  KeptCheckpoints kept(const Progress& progress) const;

  RunDirectory& run_;
  RunLog& log_;
  const TrainOptions& options_;
  const TrainingText& text_;
};

}  // namespace seq2seq
