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
  /// `model` is the one that `update` trains, `scores` are those of the last validation. Throws Error.
  void save(const Progress& progress, const TranslationModel& model, Update& update,
            const std::map<std::string, double>& scores, bool best);
  /// Restores the last checkpoint: loads weights and optimizer state into `update` and drops later log lines.
  /// Throws Error if it does not fit the model or, unless that is accepted, belongs to another text.
  Progress restore(Update& update, OtherText other = OtherText::refused);

 private:
  std::string provenance(const Progress& progress, const std::map<std::string, double>& scores) const;

  RunDirectory& run_;
  RunLog& log_;
  const TrainOptions& options_;
  const TrainingText& text_;
};

}  // namespace seq2seq
