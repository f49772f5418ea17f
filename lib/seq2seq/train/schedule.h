#pragma once

#include <cstdint>
#include <optional>

#include "seq2seq/train/options.h"

namespace seq2seq {

/// The learning rate as a function of the update and, for `plateau`, of the validations.
class Schedule {
 public:
  struct State {
    double plateau_scale = 1.0;
    int64_t stalled_validations = 0;
  };

  /// Of a run that began with the limits `begun`.
  Schedule(const OptimizationOptions& options, const LimitOptions& begun);
  /// The update at which the rate has reached its minimum; nullopt: the schedule has no end.
  std::optional<int64_t> end() const { return end_; }
  /// The rate for `update`, counted from 1.
  double rate(int64_t update) const;
  void validated(bool improved);
  const State& state() const { return state_; }
  void restore(const State& state) { state_ = state; }

 private:
  OptimizationOptions options_;
  std::optional<int64_t> end_;
  State state_;
};

}  // namespace seq2seq
