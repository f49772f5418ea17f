#pragma once

#include <span>

#include "seq2seq/nn/ops/lstm_cell.h"

namespace seq2seq {

/// Elman's tanh cell; LSTM (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000); GRU
/// (Cho et al. 2014). Gate order and parameter names are those of torch.
enum class Cell { rnn, lstm, gru };
std::span<const char* const> option_names(Cell);
int64_t gate_count(Cell cell);

/// The parameters of a recurrent layer.
struct RecurrentWeights {
  const Tensor &input, &recurrent;            ///< [G*H, I], [G*H, H]
  const Tensor &input_bias, &recurrent_bias;  ///< [G*H]
};

/// The hidden states [B, S, H] of a layer that reads x [B, S, I] from a zero state, each sentence by itself, bit for bit.
/// Records no graph; undefined unless the weights are in Compute::weights and there are kernels for steps.
Tensor recurrence(Cell cell, const Tensor& x, const RecurrentWeights& weights);

}  // namespace seq2seq
