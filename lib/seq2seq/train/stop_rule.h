#pragma once

#include <functional>
#include <optional>

#include "seq2seq/core/clock.h"
#include "seq2seq/train/training_state.h"

namespace seq2seq {

/// Why a training run ended.
enum class StopReason { limit, patience, signal };

/// When a run ends: at a limit, when validation no longer improves, or on request.
class StopRule {
 public:
  /// `patience`: validations without improvement; 0 = unlimited. --max-minutes counts from `started`.
  StopRule(const LimitOptions& limits, int64_t patience, Clock::time_point started)
      : limits_(limits), patience_(patience), started_(started) {}

  /// nullopt while training continues. `stop_requested`, if given, is called last.
  std::optional<StopReason> reached(const Progress& progress,
                                    const std::function<bool()>& stop_requested = {}) const;
  /// For a run whose criterion says nothing.
  void ignore_patience() { patience_ = 0; }
  /// Seconds until the first limit is reached at the speed so far; nullopt without a limit.
  std::optional<double> seconds_left(const Progress& progress) const;
  /// Seconds since `started`.
  double seconds() const { return seconds_since(started_); }

 private:
  bool limit_reached(const Progress& progress) const;

  LimitOptions limits_;
  int64_t patience_;
  Clock::time_point started_;
};

}  // namespace seq2seq
