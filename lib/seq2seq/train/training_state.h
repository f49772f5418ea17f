#pragma once

#include <filesystem>

#include "seq2seq/data/sampler.h"
#include "seq2seq/model/named_tensors.h"
#include "seq2seq/train/schedule.h"
#include "seq2seq/train/update.h"

namespace seq2seq {

/// Sums since the last log line; part of the state so that a resumed run writes the same lines.
struct IntervalSums {
  double loss = 0, negative_log_likelihood = 0, coverage_loss = 0, gradient_norm = 0, seconds = 0;
  double waited_seconds = 0;  ///< of `seconds`, for batches
  int64_t target_tokens = 0, updates = 0;
  double wait_share() const { return seconds > 0 ? waited_seconds / seconds : 0; }
};

/// The state of a training run apart from its tensors.
struct Progress {
  int64_t updates = 0;
  int64_t training_pairs = 0;  ///< in the corpus, before filtering
  SamplerPosition position;
  IntervalSums interval;
  Schedule::State schedule;
  int64_t target_tokens = 0;  ///< trained on so far
  double training_seconds = 0;
  double best_score = 0;
  int64_t best_update = -1;  ///< -1: not validated yet
  int64_t stalled_validations = 0;
  int64_t validated_update = -1;

  /// Counts one more update, which took `seconds`, of which `waited_seconds` for its batches.
  void count(const UpdateResult& update, double seconds, double waited_seconds = 0);
  /// Counts a validation after the last update. Returns whether `score` is finite and better than all before.
  bool count_validation(double score, bool larger_is_better);
  /// Whether something done every so many updates (0 = never) is due after the last one.
  bool due(int64_t every) const { return every > 0 && updates % every == 0; }
  bool validated() const { return validated_update == updates; }
};

/// Of a checkpoint's folder.
inline constexpr const char* state_file = "state.pt";

/// state.pt: progress and tensors (weights, optimizer, averages) by name.
struct TrainingState {
  Progress progress;
  NamedTensors tensors;
};

void save_training_state(const TrainingState& state, const std::filesystem::path& path);
/// Throws Error for a missing, truncated or foreign file.
TrainingState load_training_state(const std::filesystem::path& path);

}  // namespace seq2seq
