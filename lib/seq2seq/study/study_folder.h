#pragma once

// Not installed: the contents of a study's folder, from which a stopped study is continued.

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
  std::string device;                                ///< for training and measuring
  std::filesystem::path directory, result, outputs;  ///< runs/NAME, results/NAME.json, outputs/NAME.txt
};

/// All runs with the first seed, then all with the second, and so on. They point into `study`.
std::vector<SeededRun> seeded_runs(const Study& study, const StudyPlan& plan);

/// Throws Error if it cannot be created.
void make_study_folder(const std::filesystem::path& folder);

/// What runs and results depend on: their options, the text's fingerprints, how outputs are scored, the program's
/// version.
class StudyBasis {
 public:
  StudyBasis(const Study& study, const MetricOptions& scoring, std::string version);
  /// What training depends on: a run with a different basis is not resumed.
  Json of_training(const SeededRun& run) const;
  /// What a result depends on: while it is the same, the run is not measured again.
  Json of_result(const SeededRun& run) const;
  /// Whether the training and validation text is the same as at construction.
  bool text_is_unchanged() const;

 private:
  const Study& study_;
  Json training_text_, test_text_;
  Json scoring_;  // null for the scoring of versions that knew no other
  std::string version_;
};

/// The stored result; nothing if the run must be measured (again).
std::optional<Json> stored_result(const SeededRun& run, const StudyBasis& basis);
/// `outputs`: the model's output for each line of the test text.
void store_result(const SeededRun& run, const StudyBasis& basis, Json result,
                  const std::vector<std::string>& outputs);

/// The job that trains the run, from the start or from its last checkpoint; nothing if its training is
/// complete. Throws Error if it was started with other options or text.
std::optional<TrainingJob> job_of(const SeededRun& run, const StudyBasis& basis);
/// Marks the training of these runs as complete. Throws Error if the text has changed meanwhile, so that it
/// is unknown which text they have read.
void settle_training(const std::vector<const SeededRun*>& trained, const StudyBasis& basis);

}  // namespace seq2seq
