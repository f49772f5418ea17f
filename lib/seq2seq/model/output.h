#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <memory>
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

/// Parts of the output vocabulary: the only tokens that can be generated in each of B sentences.
struct OutputWords {
  Tensor weight, bias;  ///< [U, E], [U] of the words of any sentence
  Tensor places;        ///< [B, W] int64: where among these a sentence's words stand, as many as it has
  Tensor padding;       ///< [B, W] bool: the places after those
  std::shared_ptr<WeightStore> packed;  ///< of `weight`; null = not packed
  OutputWords select(const Tensor& rows) const;
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
  /// The same for subsets `words`: each row is normalized over the words of its own sentence, ids are indices among them
  /// (and W + source position), also those of the memory's copy slots. Each row depends on its sentence alone, bit for
  /// bit, where the weights are packed.
  Candidates top_k(const Step& step, const Memory& memory, int64_t k, const std::vector<int64_t>& banned,
                   const Adjustments& adjustments, const OutputWords& words);
  /// ids [B, W] ascending, special tokens first, -1 after those of a sentence; W is a multiple of column_multiple.
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
