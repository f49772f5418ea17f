#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <vector>

#include "seq2seq/model/decoder.h"
#include "seq2seq/nn/ops/copy.h"
#include "seq2seq/nn/ops/cross_entropy.h"
#include "seq2seq/nn/ops/top_k.h"

namespace seq2seq {

/// The best tokens of each row, best first.
struct Candidates {
  Tensor log_probabilities;      ///< [N, k]
  Tensor tokens;                 ///< [N, k] int64
  Tensor end_log_probabilities;  ///< [N] of </s>, banned or not
  Tensor adjusted, likeliest;    ///< of adjustments: nn/ops/top_k.h
};

/// A subset of the output vocabulary: the only tokens that can be generated.
struct OutputWords {
  Tensor ids;     ///< [W] ascending, special tokens first
  Tensor weight;  ///< [W, E]
  Tensor bias;    ///< [W]
};

/// How much the vocabulary and each source position give in every step, of a model that copies (nn/ops/copy.h).
CopyShares copy_shares(const StepSequence& steps, const Memory& memory);

/// Turns decoder features into token probabilities: the only part that sees the target vocabulary.
class OutputImpl : public torch::nn::Module {
 public:
  /// `tied` [V, E]: an embedding matrix to use as the projection; undefined = a separate matrix. When E
  /// differs from the feature width, features are projected to E first.
  OutputImpl(int64_t feature_size, int64_t vocabulary, const Tensor& tied);

  Tensor log_probabilities(const Tensor& features);  ///< of the vocabulary alone, [N, F] -> [N, V]
  /// Of everything that can be output: [N, V], or [N, V + S] when the model copies (slots: nn/ops/copy.h).
  Tensor log_probabilities(const Step& step, const Memory& memory);
  /// The k most probable tokens or slots of each row except those in `banned`, without renormalizing, or with
  /// adjustments the k best.
  Candidates top_k(const Step& step, const Memory& memory, int64_t k, const std::vector<int64_t>& banned,
                   const Adjustments& adjustments);
  /// The same for a subset `words`: ids are then indices into `words` (and W + source position), also those
  /// of the memory's copy slots.
  Candidates top_k(const Step& step, const Memory& memory, int64_t k, const std::vector<int64_t>& banned,
                   const Adjustments& adjustments, const OutputWords& words);
  OutputWords words(const Tensor& ids) const;
  /// targets [B, T]: ids, or slots when the model copies; padding does not count. `places` [R]: indices of
  /// the tokens among the B * T positions; undefined = computed here, which synchronizes.
  LossSums loss(const StepSequence& steps, const Memory& memory, const Tensor& targets, double smoothing,
                const Tensor& places = {});
  /// Positions [B, T] whose most probable token or slot is the target; false for padding.
  Tensor correct(const StepSequence& steps, const Memory& memory, const Tensor& targets);

  /// A tied matrix is initialized by its owner.
  void initialize(Initializer& initializer);

 private:
  Tensor projected(const Tensor& features);  // [..., F] -> [..., E]

  bool tied_;
  Linear reduce_{nullptr};
  Tensor weight_, bias_;
};
TORCH_MODULE(Output);

}  // namespace seq2seq
