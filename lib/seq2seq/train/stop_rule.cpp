#include "seq2seq/train/stop_rule.h"

#include <algorithm>

namespace seq2seq {

std::optional<StopReason> StopRule::reached(const Progress& progress,
                                            const std::function<bool()>& stop_requested) const {
  if (limit_reached(progress)) return StopReason::limit;
  if (patience_ > 0 && progress.stalled_validations >= patience_) return StopReason::patience;
  if (stop_requested && stop_requested()) return StopReason::signal;
  return std::nullopt;
}

bool StopRule::limit_reached(const Progress& progress) const {
  if (limits_.max_updates > 0 && progress.updates >= limits_.max_updates) return true;
  if (limits_.max_epochs > 0 && progress.position.epoch >= static_cast<uint64_t>(limits_.max_epochs))
    return true;
  if (limits_.max_target_tokens > 0 && progress.target_tokens >= limits_.max_target_tokens) return true;
  // The last validation and checkpoint may exceed the limit: no time is reserved for them.
  return limits_.max_minutes > 0 && seconds() >= limits_.max_minutes * 60;
}

std::optional<double> StopRule::seconds_left(const Progress& progress) const {
  std::optional<double> left;
  const auto consider = [&](double seconds) { left = left ? std::min(*left, seconds) : seconds; };
  if (limits_.max_minutes > 0) consider(limits_.max_minutes * 60 - seconds());
  // Extrapolated from the time that the finished part of the budget took.
  const auto consider_budget = [&](int64_t budget, double done) {
    if (budget > 0 && done > 0)
      consider(progress.training_seconds * (static_cast<double>(budget) / done - 1));
  };
  consider_budget(limits_.max_updates, static_cast<double>(progress.updates));
  consider_budget(limits_.max_target_tokens, static_cast<double>(progress.target_tokens));
  consider_budget(limits_.max_epochs, static_cast<double>(progress.position.epoch) +
                                          static_cast<double>(progress.position.window_begin) /
                                              static_cast<double>(progress.training_pairs));
  return left;
}

}  // namespace seq2seq
