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

/// The same as they are made, on the model's device: whoever reads a number waits for all that the device has
/// been asked before.
struct DeviceSums {
  Tensor losses;  ///< [3] double, in the order of UpdateSums
  int64_t target_tokens = 0, source_tokens = 0;
  /// `copied` [3]: `losses`, copied to the host.
  UpdateSums on_host(const Tensor& copied) const;
};

/// Adds the gradients of one update (one or several micro-batches) to the model's parameters. The update's
/// loss is the sum over its target tokens divided by their number, so that accumulation changes nothing but
/// memory. Dropout is drawn from (seed, update, micro-batch).
DeviceSums accumulate_gradients(Seq2Seq& model, const std::vector<Batch>& batches,
                                const OptimizationOptions& options, uint64_t seed, int64_t update);

/// What an update was like.
struct UpdateResult {
  UpdateSums sums;
  double gradient_norm = 0;  ///< before clipping
};

/// The only way in which training changes weights: new gradients, clipped to options.clip_norm, a step of the
/// optimizer and one of the weights' moving average.
class Update {
 public:
  /// `model` is on its device, and what is not to be trained asks for no gradient. `seed` decides dropout and
  /// sampled words.
  Update(const Seq2Seq& model, const OptimizationOptions& options, uint64_t seed);

  /// Update `number`, counted from 1. Waits for the device once, between gradients and step. Batches that do
  /// not fit into the device's memory are computed in parts, from then on: but for rounding and dropout, the
  /// update is the same. Throws Error in place of the step when loss or norm is not finite, or the norm is
  /// above options.divergence_norm, and when one sentence pair does not fit, or a batch where options ask for
  /// the same bits each time.
  UpdateResult run(const std::vector<Batch>& batches, int64_t number, double learning_rate);

  /// What is validated and saved: for as long as the result lives, the model has the averages for weights,
  /// where any are kept.
  [[nodiscard]] AveragedWeights averaged_weights();

  /// What resuming needs, by name: weights, the optimizer's moments, averages.
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
