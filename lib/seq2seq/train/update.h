#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "seq2seq/data/batch.h"
#include "seq2seq/train/optimizer.h"

namespace seq2seq {

/// Sums over the micro-batches of one update.
struct UpdateSums {
  double loss = 0;  ///< with label smoothing, without the coverage loss
  double negative_log_likelihood = 0, coverage_loss = 0;
  int64_t target_tokens = 0, source_tokens = 0;
};

/// The same on the model's device: copying them to the host synchronizes.
struct DeviceSums {
  Tensor losses;  ///< [3] double, in the order of UpdateSums
  int64_t target_tokens = 0, source_tokens = 0;
  /// `copied` [3]: `losses`, copied to the host.
  UpdateSums on_host(const Tensor& copied) const;
};

/// Adds the gradients of one update (one or several micro-batches) to those of the parameters. The loss of
/// the update is the mean over all its target tokens, so that accumulation changes memory use only. Dropout
/// is drawn from (seed, update, micro-batch).
DeviceSums accumulate_gradients(Seq2Seq& model, const std::vector<Batch>& batches,
                                const OptimizationOptions& options, uint64_t seed, int64_t update);

/// The figures of one update.
struct UpdateResult {
  UpdateSums sums;
  double gradient_norm = 0;  ///< before clipping
};

/// One training step, the only code that changes weights: computes the gradients, clips them to
/// options.clip_norm, applies the optimizer and updates the weights' moving average.
class Update {
 public:
  /// `model` is on its device; frozen parameters require no gradient. `seed`: of dropout and sampled tokens.
  Update(const Seq2Seq& model, const OptimizationOptions& options, uint64_t seed);

  /// Update `number`, counted from 1. Synchronizes once, between gradients and step. Batches that exceed the
  /// device's memory are computed in parts, in later updates too, with the same result but for rounding and
  /// dropout. Throws Error instead of taking the step if loss or norm is not finite, if the norm exceeds
  /// options.divergence_norm, and if a single sentence pair exceeds the memory or, with
  /// options.deterministic, a batch does.
  UpdateResult run(const std::vector<Batch>& batches, int64_t number, double learning_rate);

  /// For validating and saving: while the result lives, the model has the averaged weights, if any are kept.
  [[nodiscard]] AveragedWeights averaged_weights();

  /// Weights, optimizer state and averages by name, for resuming.
  NamedTensors state() const;
  void restore(const NamedTensors& state, const std::string& origin);

 private:
  DeviceSums make_gradients(const std::vector<Batch>& batches, int64_t number);
  /// What did not fit was `largest`.
  void lower_limit(const Batch& largest, int64_t number);

  Seq2Seq model_;
  OptimizationOptions options_;
  uint64_t seed_;
  Optimizer optimizer_;
  std::optional<WeightAverage> average_;
  int64_t most_tokens_ = std::numeric_limits<int64_t>::max();  // of a batch, padding included
};

}  // namespace seq2seq
