#pragma once

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// hidden [N, H]; cell [N, H] for an LSTM, else undefined.
struct CellState {
  Tensor hidden, cell;
};

/// An LSTM's cell (Hochreiter and Schmidhuber 1997, with Gers' forget gate): the gates [N, 4H] that the input
/// and the hidden state before make, in torch's order input, forget, candidate, output; cell_before [N, H].
CellState lstm_cell(const Tensor& input_gates, const Tensor& recurrent_gates, const Tensor& cell_before);

}  // namespace seq2seq
