#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <vector>

#include "seq2seq/model/decoder.h"
#include "seq2seq/nn/copy.h"
#include "seq2seq/nn/ops/cross_entropy.h"

namespace seq2seq {

/// The best words of each row, best first.
struct Candidates {
  Tensor log_probabilities;      ///< [N, k]
  Tensor tokens;                 ///< [N, k] int64
  Tensor end_log_probabilities;  ///< [N] of </s>, banned or not
};

/// A part of the output vocabulary: the only words that can be written.
struct OutputWords {
  Tensor ids;     ///< [W] ascending, the special ones first
  Tensor weight;  ///< [W, E]
  Tensor bias;    ///< [W]
};

/// How much the vocabulary and each source position give in every step, of a model that copies (nn/copy.h).
CopyShares copy_shares(const StepSequence& steps, const Memory& memory);

/// Turns decoder features into words: the only place that sees the vocabulary.
class OutputImpl : public torch::nn::Module {
 public:
  /// `tied` [V, E]: an embedding matrix to use as the projection; undefined = a matrix of its own. When E
  /// differs from the feature width, features are projected to E first.
  OutputImpl(int64_t feature_size, int64_t vocabulary, const Tensor& tied);

  Tensor log_probabilities(const Tensor& features);  ///< of the vocabulary alone, [N, F] -> [N, V]
  /// Of all that can be written: [N, V], or [N, V + S] when the model copies (slots: nn/copy.h).
  Tensor log_probabilities(const Step& step, const Memory& memory);
  /// The k likeliest words or slots of each row; those in `banned` are never among them, the others keep
  /// their probability.
  Candidates top_k(const Step& step, const Memory& memory, int64_t k, const std::vector<int64_t>& banned);
  /// The same among few words: numbers are then places in `words` (and W + place of a source word), so are
  /// those of the memory's copy slots.
  Candidates top_k(const Step& step, const Memory& memory, int64_t k, const std::vector<int64_t>& banned,
                   const OutputWords& words);
  OutputWords words(const Tensor& ids) const;
  /// targets [B, T] with padding, which does not count; slots where the model copies. `places` [R]: where
  /// among the B * T a word stands; undefined = it is looked up, which waits for the device.
  LossSums loss(const StepSequence& steps, const Memory& memory, const Tensor& targets, double smoothing,
                const Tensor& places = {});
  /// Positions [B, T] whose likeliest word or slot is the target: padding is false.
  Tensor correct(const StepSequence& steps, const Memory& memory, const Tensor& targets);

  /// A tied projection is left to its owner.
  void initialize(Initializer& initializer);

 private:
  Tensor projected(const Tensor& features);  // [..., F] -> [..., E]

  bool tied_;
  Linear reduce_{nullptr};
  Tensor weight_, bias_;
};
TORCH_MODULE(Output);

}  // namespace seq2seq
