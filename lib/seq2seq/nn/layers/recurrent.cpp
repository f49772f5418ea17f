#include "seq2seq/nn/layers/recurrent.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/jit/frontend/tracer.h>

#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/engine/gathered_gradients.h"
#include "seq2seq/nn/engine/recorded_states.h"
#include "seq2seq/nn/layers/initializer.h"
#include "seq2seq/nn/ops/gru_cell.h"
#include "seq2seq/nn/ops/linear.h"
#include "seq2seq/nn/ops/nonlinearity.h"

namespace seq2seq {
CellState cell_step(Cell cell, const Tensor& input_gates, const Tensor& recurrent_gates,
                    const CellState& state) {
  if (cell == Cell::rnn) return {nonlinear(Nonlinearity::tanh, input_gates + recurrent_gates), {}};
  if (cell == Cell::lstm) return lstm_cell(input_gates, recurrent_gates, state.cell);
  return {gru_cell(input_gates, recurrent_gates, state.hidden), {}};
}

RecurrentLayerImpl::RecurrentLayerImpl(Cell cell, int64_t input_size, int64_t hidden_size)
    : weight_ih(register_parameter("weight_ih", at::empty({gate_count(cell) * hidden_size, input_size}))),
      weight_hh(register_parameter("weight_hh", at::empty({gate_count(cell) * hidden_size, hidden_size}))),
      bias_ih(register_parameter("bias_ih", at::empty({gate_count(cell) * hidden_size}))),
      bias_hh(register_parameter("bias_hh", at::empty({gate_count(cell) * hidden_size}))),
      cell_(cell) {}

Tensor RecurrentLayerImpl::input_gates(const Tensor& x) {
  return linear(x, weight_ih, bias_ih);
}

CellState RecurrentLayerImpl::step(const Tensor& input_gates, const CellState& state,
                                   const Tensor& recurrent_mask) {
  const Tensor hidden = recurrent_mask.defined() ? state.hidden * recurrent_mask : state.hidden;
  CellState next = cell_step(cell_, input_gates, linear(hidden, weight_hh, bias_hh), state);
  if (RecordedStates::active()) {
    // Gradients with respect to a cell state leave out its path through the hidden state of the same step, as
    // those of a fused cell do.
    if (next.cell.defined()) next.cell = next.cell.view_as(next.cell);
    RecordedStates::add(*this, {next.hidden, next.cell});
  }
  return next;
}

void RecurrentLayerImpl::initialize(Initializer& initializer) {
  initializer.matrix(weight_ih);
  initializer.matrix(weight_hh);
  initializer.constant(bias_ih, 0);
  initializer.constant(bias_hh, 0);
  if (cell_ == Cell::lstm) initializer.constant(bias_ih.narrow(0, hidden_size(), hidden_size()), 1);
}

Tensor RecurrentLayerImpl::forward(const Tensor& x, const Tensor& recurrent_mask) {
  // When tracing, a loop would be unrolled to the length of the example input.
  const bool tracing = torch::jit::tracer::isTracing();
  if (!recurrent_mask.defined() && !tracing && !RecordedStates::active() &&
      !torch::autograd::compute_requires_grad(x, weight_hh)) {
    const Tensor states = recurrence(cell_, x, {weight_ih, weight_hh, bias_ih, bias_hh});
    if (states.defined()) return states;
  }
  // On a CPU the loop of the other cells is faster.
  const bool fused = cell_ == Cell::lstm || x.is_cuda() || tracing;
  if (recurrent_mask.defined() || !fused || RecordedStates::active()) return forward_loop(x, recurrent_mask);
  // A zero state derived from the input: a size read here would become a constant when traced.
  const Tensor zeros =
      at::zeros_like(x.select(1, 0).narrow(1, 0, 1)).expand({-1, hidden_size()}).unsqueeze(0);
  const Tensor state = zeros.contiguous();  // [1, B, H]
  const std::vector<Tensor> weights{weight_ih, weight_hh, bias_ih, bias_hh};
  const bool train = at::GradMode::is_enabled();  // cuDNN gives no gradient otherwise
  count_multiply_adds((train ? 3 : 1) * x.size(0) * x.size(1) * (weight_ih.numel() + weight_hh.numel()));
  if (cell_ == Cell::gru) return std::get<0>(at::gru(x, state, weights, true, 1, 0.0, train, false, true));
  if (cell_ == Cell::rnn)
    return std::get<0>(at::rnn_tanh(x, state, weights, true, 1, 0.0, train, false, true));
  return std::get<0>(at::lstm(x, {state, state}, weights, /*has_biases=*/true, /*num_layers=*/1,
                              /*dropout=*/0.0, train, /*bidirectional=*/false, /*batch_first=*/true));
}

void RecurrentLayerImpl::join_weights() {
  if (!weight_ih.is_cuda() || !at::cudnn_is_acceptable(weight_ih)) return;
  const int64_t mode = cell_ == Cell::lstm ? 2 : cell_ == Cell::gru ? 3 : 1;  // cudnnRNNMode_t
  const at::NoGradGuard no_grad;
  at::_cudnn_rnn_flatten_weight({weight_ih, weight_hh, bias_ih, bias_hh}, /*weight_stride0=*/4,
                                weight_ih.size(1), mode, hidden_size(), /*proj_size=*/0, /*num_layers=*/1,
                                /*batch_first=*/true, /*bidirectional=*/false);
}

Tensor RecurrentLayerImpl::forward_loop(const Tensor& x, const Tensor& recurrent_mask) {
  const auto gates = input_gates(x).unbind(1);  // S of [B, G*H]
  const Tensor zeros = at::zeros({x.size(0), hidden_size()}, x.options());
  GatheredGradients gather;
  const ComputeScope scope(&Compute::gather, &gather);
  CellState state{zeros, cell_ == Cell::lstm ? zeros : Tensor()};
  std::vector<Tensor> hidden;
  hidden.reserve(gates.size());
  for (const Tensor& gate : gates) {
    state = step(gate, state, recurrent_mask);
    hidden.push_back(state.hidden);
  }
  return at::stack(hidden, 1);  // [B, S, H]
}

}  // namespace seq2seq
