#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include "seq2seq/nn/ops/recurrence.h"

namespace seq2seq {

class Initializer;

/// One step as a pure function: input_gates [N, G*H] = W_ih x + b_ih, recurrent_gates [N, G*H] =
/// W_hh h + b_hh, where G = gate_count(cell).
CellState cell_step(Cell cell, const Tensor& input_gates, const Tensor& recurrent_gates,
                    const CellState& state);

/// One layer in one direction.
class RecurrentLayerImpl : public torch::nn::Module {
 public:
  RecurrentLayerImpl(Cell cell, int64_t input_size, int64_t hidden_size);

  /// x [B, S, I] -> hidden states [B, S, H], from a zero state. `recurrent_mask` [B, H] multiplies the hidden
  /// state in the recurrent product of every step (Gal and Ghahramani 2016); undefined = none. Without it
  /// LSTMs, and all cells on CUDA devices and while tracing, use the fused layer of torch, unless states are
  /// recorded. States beyond the end of a sentence are meaningless: see `last_state`.
  Tensor forward(const Tensor& x, const Tensor& recurrent_mask = {});
  /// The same by an explicit loop over time, for every cell and mask: the reference for the fused layer.
  Tensor forward_loop(const Tensor& x, const Tensor& recurrent_mask = {});

  /// W_ih x + b_ih for any leading dimensions.
  Tensor input_gates(const Tensor& x);
  CellState step(const Tensor& input_gates, const CellState& state, const Tensor& recurrent_mask = {});

  /// Lays the parameters out in one block of memory, as cuDNN's fused layer wants them; they stay the same
  /// tensors. On other devices nothing happens.
  void join_weights();

  /// The forget-gate bias of LSTMs starts at 1, so that gradients reach far back (Jozefowicz et al. 2015).
  void initialize(Initializer& initializer);

  int64_t hidden_size() const { return weight_hh.size(1); }

  Tensor weight_ih, weight_hh, bias_ih, bias_hh;

 private:
  Cell cell_;
};
TORCH_MODULE(RecurrentLayer);

}  // namespace seq2seq
