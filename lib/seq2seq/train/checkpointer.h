#pragma once

#include <map>
#include <string>

#include "seq2seq/model/archive/checkpoint.h"
#include "seq2seq/train/run_directory.h"
#include "seq2seq/train/run_log.h"
#include "seq2seq/train/training_state.h"
#include "seq2seq/train/training_text.h"

namespace seq2seq {

/// When a run is saved and what of it: state.pt, to go on from, and model.pt, to translate with.
class Checkpointer {
 public:
  /// All of these outlive it.
  Checkpointer(RunDirectory& run, RunLog& log, const TrainOptions& options, const TrainingText& text)
      : run_(run), log_(log), options_(options), text_(text) {}

  /// Whether `--checkpoint-every` asks for one after the last update. A run that ends or is better than ever
  /// is saved in any case.
  bool due(const Progress& progress) const;
  /// `model` is what `update` trains, `scores` what the last validation gave. Throws Error.
  void save(const Progress& progress, const TranslationModel& model, Update& update,
            const std::map<std::string, double>& scores, bool best);
  /// Takes up the last checkpoint: weights and optimizer go to `update`, what was logged later is dropped.
  /// Throws Error when it does not fit, or is not of this text.
  Progress restore(Update& update);

 private:
  std::string provenance(const Progress& progress, const std::map<std::string, double>& scores) const;

  RunDirectory& run_;
  RunLog& log_;
  const TrainOptions& options_;
  const TrainingText& text_;
};

}  // namespace seq2seq
