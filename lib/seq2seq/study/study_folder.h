#pragma once

// Not installed: what the folder of a study holds, so that a study goes on where it was stopped.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "seq2seq/core/json.h"
#include "seq2seq/study/run_study.h"
#include "seq2seq/study/training_jobs.h"

namespace seq2seq {

/// One architecture with one seed.
struct SeededRun {
  const Study::Run* run = nullptr;
  int64_t repetition = 0;  ///< 0 for the first seed
  TrainOptions options;
  std::string name;                                  ///< "copying.1"
  std::string device;                                ///< where it is trained and measured
  std::filesystem::path directory, result, outputs;  ///< runs/NAME, results/NAME.json, outputs/NAME.txt
};

/// All runs with the first seed, then with the second. They point into `study`.
std::vector<SeededRun> seeded_runs(const Study& study, const StudyPlan& plan);

/// Throws Error when it cannot be made.
void make_study_folder(const std::filesystem::path& folder);

/// What runs and results depend on: their options, the text's fingerprints, the program's version.
class StudyBasis {
 public:
  StudyBasis(const Study& study, std::string version);
  /// What training depends on: a run with another one is not gone on with.
  Json of_training(const SeededRun& run) const;
  /// What a result depends on: as long as it is the same, the run is not measured again.
  Json of_result(const SeededRun& run) const;
  /// Whether the text to train on still is what it was.
  bool text_is_unchanged() const;

 private:
  const Study& study_;
  Json training_text_, test_text_;
  std::string version_;
};

/// What was measured before; nothing when it has to be measured (again).
std::optional<Json> stored_result(const SeededRun& run, const StudyBasis& basis);
/// `outputs`: what the run's model wrote for the test text, a line each.
void store_result(const SeededRun& run, const StudyBasis& basis, Json result,
                  const std::vector<std::string>& outputs);

/// Its training, from the beginning or from its last checkpoint; nothing when it is trained to its end.
/// Throws Error when it was begun with other options or text.
std::optional<TrainingJob> job_of(const SeededRun& run, const StudyBasis& basis);
/// Marks runs as trained to their end. Throws Error when the text changed meanwhile, so that nobody knows
/// what they have read.
void settle_training(const std::vector<const SeededRun*>& trained, const StudyBasis& basis);

}  // namespace seq2seq
