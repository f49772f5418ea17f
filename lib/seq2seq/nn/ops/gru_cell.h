#pragma once

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// One GRU step (Cho et al. 2014), with the reset gate applied after the recurrent product, as in torch:
///   r = s(x_r + h_r), z = s(x_z + h_z), n = tanh(x_n + r h_n), h' = n + z (h - n)
/// where s is the sigmoid, x_* and h_* are the parts of input_gates and recurrent_gates [N, 3H] in torch's
/// order reset, update, candidate, h is hidden_before [N, H], and h' [N, H] is returned.
Tensor gru_cell(const Tensor& input_gates, const Tensor& recurrent_gates, const Tensor& hidden_before);

}  // namespace seq2seq
