#pragma once

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// hidden [N, H]; cell [N, H] of LSTMs, otherwise undefined.
struct CellState {
  Tensor hidden, cell;
};

/// One LSTM step (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000) from the
/// products with the input and with the hidden state before, input_gates and recurrent_gates [N, 4H], in
/// torch's order input, forget, candidate, output; cell_before [N, H].
CellState lstm_cell(const Tensor& input_gates, const Tensor& recurrent_gates, const Tensor& cell_before);

}  // namespace seq2seq
