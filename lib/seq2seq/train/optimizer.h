#pragma once

#include <memory>
#include <vector>

#include "seq2seq/model/named_tensors.h"
#include "seq2seq/train/options.h"

namespace seq2seq {

/// Turns gradients into steps, all parameters in one fused call. Frozen parameters are left alone; one that
/// got no gradient has the gradient 0.
class Optimizer {
 public:
  Optimizer(Seq2SeqImpl& model, const OptimizerOptions& options);
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
  WeightAverage(Seq2SeqImpl& model, double decay);
  void update(int64_t updates);
  /// Exchanges the model's weights and the averages.
  void swap();
  NamedTensors state() const;
  void restore(const NamedTensors& state, const std::string& origin);

 private:
  double decay_;
  std::vector<std::string> names_;
  std::vector<Tensor> parameters_, averages_;
};

}  // namespace seq2seq
