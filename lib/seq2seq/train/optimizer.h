#pragma once

#include <string>
#include <vector>

#include "seq2seq/model/named_tensors.h"
#include "seq2seq/train/options.h"

namespace seq2seq {

/// Turns gradients into steps, all parameters in one fused call. Frozen parameters are left alone; one that
/// got no gradient has the gradient 0.
class Optimizer {
 public:
  Optimizer(Seq2SeqImpl& model, const OptimizerOptions& options);
  /// Moves the weights along the gradients that they hold. `learning_rate` is that of this update alone; what
  /// AdamW takes off the weights is in proportion to it as well.
  void step(double learning_rate);
  void zero_gradients();

  /// The L2 norm of all gradients, a scalar on their device; 0 where there is none.
  Tensor gradient_norm() const;
  /// Scales all gradients, whose norm is `norm`, down to `maximum` where that is positive and smaller.
  void clip_gradients(double norm, double maximum);

  /// What resuming needs, by parameter name.
  NamedTensors state() const;
  void restore(const NamedTensors& state, const std::string& origin);

 private:
  std::vector<Tensor> gradients() const;

  OptimizerOptions options_;
  std::vector<std::string> names_;
  std::vector<Tensor> parameters_, first_moments_, second_moments_, steps_;
};

/// Exponential moving average of the weights, with a warm-up: decay_n = min(decay, (1 + n) / (10 + n)).
class WeightAverage {
 public:
  /// Begins with the weights that the model has.
  WeightAverage(Seq2SeqImpl& model, double decay);
  /// To be called once after each update; `n` is how many there have been, this one included.
  void update(int64_t n);
  NamedTensors state() const;
  void restore(const NamedTensors& state, const std::string& origin);

 private:
  friend class AveragedWeights;
  /// Exchanges the model's weights and the averages by way of `spare`, which holds as many values as the
  /// largest parameter.
  void exchange(const Tensor& spare);

  double decay_;
  std::vector<std::string> names_;
  std::vector<Tensor> parameters_, averages_;
};

/// For as long as it lives, the model has the averages in the place of its weights.
class AveragedWeights {
 public:
  /// Null: the model keeps its own.
  explicit AveragedWeights(WeightAverage* average);
  ~AveragedWeights();
  AveragedWeights(const AveragedWeights&) = delete;
  AveragedWeights& operator=(const AveragedWeights&) = delete;

 private:
  WeightAverage* average_;
  Tensor spare_;
};

}  // namespace seq2seq
