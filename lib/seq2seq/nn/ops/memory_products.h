#pragma once

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

// Products of hypotheses with the states of their own sentence. Where gradients are gathered
// (engine/gathered_gradients.h), that of the states is computed once for all steps.

/// rows [B, K, H], states [B, S, H] -> rows states^T [B, K, S].
Tensor states_dot(const Tensor& rows, const Tensor& states);

/// weights [B, K, S], states [B, S, H] -> weights states [B, K, H].
Tensor weighted_states(const Tensor& weights, const Tensor& states);

}  // namespace seq2seq
