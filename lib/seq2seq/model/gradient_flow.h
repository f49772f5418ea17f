#pragma once

#include <cstdint>
#include <vector>

#include "seq2seq/data/example.h"
#include "seq2seq/model/seq2seq_model.h"
#include "seq2seq/model/simple_rnn.h"

namespace seq2seq {

/// Gradient norms by distance from the loss, which show whether gradients vanish or explode (Bengio et al.
/// 1994, Pascanu et al. 2013).
struct GradientFlow {
  /// norms[d] = |dL/ds| of the states s that lie d steps before the loss, averaged over the sentences that
  /// are long enough. A state is what recurrent layers carry from step to step: the hidden and, in an LSTM,
  /// cell vectors of every layer, of both directions at the same token (not input feeding and coverage, nor
  /// the sentence layers of a hierarchical encoder). A Transformer carries nothing: its states are the inputs
  /// of its first layer.
  std::vector<double> norms;
  /// Mean number of target tokens: the first distances belong to them, the following ones to the source.
  double target_steps = 0;
  /// Norm of the gradient of the mean loss with respect to all parameters: what clipping limits.
  double parameter_norm = 0;
};

/// For the loss of each sentence's last token (not </s>): the distance counts back through the target to its
/// first token, then from the source's </s> to its first token. Uses the explicit loop over time, without
/// dropout; existing gradients of parameters are left unchanged. Sentences without a target token do not
/// count; throws (TORCH_CHECK) when there is no other.
GradientFlow gradient_flow(Seq2Seq& model, const TensorBatch& batch);

/// For the sum of the head's outputs, x [B, T, I]; the distance counts back from the last step.
GradientFlow gradient_flow(SimpleRnn& model, const Tensor& x);

/// A probe of long-range memory: sources of `length` random tokens, of which the one `distance` steps before
/// the last (0 = the last) is the only target token.
std::vector<Example> recall_examples(int64_t count, int64_t length, int64_t distance, int64_t vocabulary,
                                     uint64_t seed);

}  // namespace seq2seq
