#pragma once

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// A gated recurrent unit (Cho et al. 2014), with the reset gate behind the recurrent product as torch has
/// it:
///   r = s(x_r + h_r), z = s(x_z + h_z), n = tanh(x_n + r h_n), h' = n + z (h - n)
/// from the gates [N, 3H] that the input (x) and the hidden state before (h) make, in torch's order reset,
/// update, candidate, and hidden_before [N, H] -> the hidden state [N, H].
Tensor gru_cell(const Tensor& input_gates, const Tensor& recurrent_gates, const Tensor& hidden_before);

}  // namespace seq2seq
