#pragma once

#include <string>
#include <vector>

#include "seq2seq/model/named_tensors.h"
#include "seq2seq/train/options.h"

namespace seq2seq {

/// Applies gradients, with kernels that update all parameters at once. Frozen parameters, and frozen rows of
/// embeddings, are left unchanged; a parameter without a gradient has the gradient 0.
class Optimizer {
 public:
  Optimizer(Seq2SeqImpl& model, const OptimizerOptions& options);
  /// Applies the gradients. `learning_rate` is that of this update; it also scales the weight decay of AdamW.
  void step(double learning_rate);
  void zero_gradients();
  /// Sets those of frozen rows to 0: they count for no norm.
  void clear_frozen_gradients();

  /// The L2 norm of all gradients, a scalar on their device; 0 without gradients.
  Tensor gradient_norm() const;
  /// Scales all gradients, whose norm is `norm`, down to norm `maximum` if that is positive and smaller.
  void clip_gradients(double norm, double maximum);

  /// Moments, step counts and frozen rows by parameter name, for resuming.
  NamedTensors state() const;
  void restore(const NamedTensors& state, const std::string& origin);

 private:
  struct FrozenRows {
    size_t parameter;  // its index
    Tensor ids;        // [R]
  };
  std::vector<Tensor> gradients() const;
  void add_frozen_rows(Embedding& embedding);

  OptimizerOptions options_;
  std::vector<std::string> names_;
  std::vector<Tensor> parameters_, first_moments_, second_moments_, steps_;
  std::vector<FrozenRows> frozen_;
};

/// The ids of frozen rows by parameter name, among the `state` of an optimizer.
NamedTensors frozen_rows_of(const NamedTensors& state);

/// Exponential moving average of the weights, with a warm-up: decay_n = min(decay, (1 + n) / (10 + n)).
class WeightAverage {
 public:
  /// Starts from the current weights of the model.
  WeightAverage(Seq2SeqImpl& model, double decay);
  /// Call it once after each update; `n` is the number of updates so far, including this one.
  void update(int64_t n);
  NamedTensors state() const;
  void restore(const NamedTensors& state, const std::string& origin);

 private:
  friend class AveragedWeights;
  /// Swaps the model's weights and the averages through `spare`, which is as large as the largest parameter.
  void exchange(const Tensor& spare);

  double decay_;
  std::vector<std::string> names_;
  std::vector<Tensor> parameters_, averages_;
};

/// While it lives, the averages take the place of the model's weights.
class AveragedWeights {
 public:
  /// Null = the model keeps its weights.
  explicit AveragedWeights(WeightAverage* average);
  ~AveragedWeights();
  AveragedWeights(const AveragedWeights&) = delete;
  AveragedWeights& operator=(const AveragedWeights&) = delete;

 private:
  WeightAverage* average_;
  Tensor spare_;
};

}  // namespace seq2seq
