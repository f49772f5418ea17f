#pragma once

#include <cstdint>
#include <vector>

#include "seq2seq/data/example.h"
#include "seq2seq/model/seq2seq_model.h"
#include "seq2seq/model/simple_rnn.h"

namespace seq2seq {

/// How much of a loss arrives how far back: whether gradients vanish or explode (Bengio et al. 1994, Pascanu
/// et al. 2013).
struct GradientFlow {
  /// |dL/ds| by distance: of the state s that so many steps lie between it and the loss, the mean over the
  /// sentences that reach so far. A state is what recurrent layers carry from step to step: hidden and, of an
  /// LSTM, cell vectors of every layer, of both directions at the same word (not what input feeding and
  /// coverage carry, nor the sentences of a hierarchical encoder). A Transformer carries nothing: its states
  /// are the vectors that enter its first layer.
  std::vector<double> norms;
  /// Mean over sentences: the first so many distances are words of the target, those behind words of the
  /// source.
  double target_steps = 0;
  /// Norm of the gradient of the mean loss with respect to all parameters: what clipping cuts.
  double parameter_norm = 0;
};

/// Of the loss of each sentence's last word (not </s>): the distance counts back through the target to its
/// first word, then from the source's </s> to its first word. By the explicit loop over time, without
/// dropout; gradients that parameters have already are left alone. Sentences without a target word do not
/// count; throws TORCH_CHECK when there is no other.
GradientFlow gradient_flow(Seq2Seq& model, const TensorBatch& batch);

/// Of the sum of the head's outputs, x [B, T, I]; the distance counts back from the last step.
GradientFlow gradient_flow(SimpleRnn& model, const Tensor& x);

/// The probe for long memory: `length` random words, of which the one `distance` steps back from the last (0
/// = the last) is the target's only word.
std::vector<Example> recall_examples(int64_t count, int64_t length, int64_t distance, int64_t vocabulary,
                                     uint64_t seed);

}  // namespace seq2seq
