#pragma once

#include <cstdint>

#include "seq2seq/train/options.h"

namespace seq2seq {

/// The learning rate as a function of the update and, for `plateau`, of the validations.
class Schedule {
 public:
  struct State {
    double plateau_scale = 1.0;
    int64_t stalled_validations = 0;
  };

  Schedule(const OptimizationOptions& options, int64_t max_updates);
  /// The rate for `update`, counted from 1.
  double rate(int64_t update) const;
  void validated(bool improved);
  const State& state() const { return state_; }
  void restore(const State& state) { state_ = state; }

 private:
  OptimizationOptions options_;
  int64_t horizon_;
  State state_;
};

}  // namespace seq2seq
