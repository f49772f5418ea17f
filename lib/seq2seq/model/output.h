#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <vector>

#include "seq2seq/model/decoder.h"
#include "seq2seq/nn/losses.h"

namespace seq2seq {

/// The best words of each row, best first.
struct Candidates {
  Tensor log_probabilities;      ///< [N, k]
  Tensor tokens;                 ///< [N, k] int64
  Tensor end_log_probabilities;  ///< [N] of </s>, banned or not
};

/// Turns decoder features into words: the only place that sees the vocabulary.
class OutputImpl : public torch::nn::Module {
 public:
  /// `tied` [V, E]: an embedding matrix to use as the projection; undefined = a matrix of its own. When E
  /// differs from the feature width, features are projected to E first.
  OutputImpl(int64_t feature_size, int64_t vocabulary, const Tensor& tied);

  Tensor log_probabilities(const Tensor& features);  ///< [N, F] -> [N, V]
  /// The k likeliest words of each row; words in `banned` are never among them, the others keep their
  /// probability.
  Candidates top_k(const Tensor& features, int64_t k, const std::vector<int64_t>& banned);
  /// features [B, T, F], targets [B, T] with padding, which does not count.
  LossSums loss(const Tensor& features, const Tensor& targets, double smoothing);
  /// Positions [B, T] whose likeliest word is the target: padding is false.
  Tensor correct(const Tensor& features, const Tensor& targets);

 private:
  Tensor projected(const Tensor& features);  // [..., F] -> [..., E]

  Linear reduce_{nullptr};
  Tensor weight_, bias_;
};
TORCH_MODULE(Output);

}  // namespace seq2seq
