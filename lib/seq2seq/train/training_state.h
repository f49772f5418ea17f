#pragma once

#include <filesystem>
#include <optional>

#include "seq2seq/data/filter.h"
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

/// Which training examples may be held out; a run keeps its rule.
enum class HeldOutRule : int64_t {
  any = 1,           ///< of earlier versions: any of the corpus
  usable_pairs = 2,  ///< draw_held_out (data/held_out.h)
};

/// The state of a training run apart from its tensors.
struct Progress {
  int64_t updates = 0;
  int64_t training_pairs = 0;  ///< in the corpus, before filtering
  HeldOutRule held_out_rule = HeldOutRule::usable_pairs;
  /// What has become of the first epoch's pairs before the window of `position`; of all once it has ended.
  /// Absent in runs begun by earlier versions, which did not count.
  std::optional<FilterCounts> counted = FilterCounts{};
  SamplerPosition position;
  IntervalSums interval;
  Schedule::State schedule;
  int64_t target_tokens = 0;  ///< trained on so far
  double training_seconds = 0;
  // Of validations that were due: an extra one, where a run rests, is not counted.
  double best_score = 0;
  int64_t best_update = -1;  ///< -1: not validated yet
  int64_t stalled_validations = 0;
  int64_t validated_update = -1;

  /// Counts one more update, which took `seconds`, of which `waited_seconds` for its batches.
  void count(const UpdateResult& update, double seconds, double waited_seconds = 0);
  /// Whether `score` is finite and better than all that were counted.
  bool is_best(double score, bool larger_is_better) const;
  /// Counts a validation after the last update. Returns whether its score is the best.
  bool count_validation(double score, bool larger_is_better);
  /// Goes back to the beginning of the present epoch, of a corpus of so many pairs.
  void begin_epoch_again(int64_t pairs);
  /// The next validation is the first: its scores cannot be compared with those before.
  void forget_validations();
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
