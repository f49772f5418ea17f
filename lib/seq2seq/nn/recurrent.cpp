#include "seq2seq/nn/recurrent.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/jit/frontend/tracer.h>

#include "seq2seq/nn/cpu/kernels.h"
#include "seq2seq/nn/gathered_gradients.h"
#include "seq2seq/nn/linear.h"

namespace seq2seq {
namespace {

thread_local RecordedStates* recorder = nullptr;

constexpr const char* cell_names[] = {"rnn", "lstm", "gru"};

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class LstmCell : public torch::autograd::Function<LstmCell> {
 public:
  static variable_list forward(AutogradContext* context, const Tensor& input_gates,
                               const Tensor& recurrent_gates, const Tensor& cell_before) {
    const Tensor gates = (input_gates + recurrent_gates).contiguous();  // [N, 4H], activated in place
    const Tensor before = cell_before.contiguous();
    const Tensor hidden = at::empty_like(before), cell = at::empty_like(before);
    AT_DISPATCH_FLOATING_TYPES(gates.scalar_type(), "lstm_cell", [&] {
      const kernels::LstmForward<scalar_t> terms{.gates = gates.mutable_data_ptr<scalar_t>(),
                                                 .cell_before = before.const_data_ptr<scalar_t>(),
                                                 .hidden = hidden.mutable_data_ptr<scalar_t>(),
                                                 .cell = cell.mutable_data_ptr<scalar_t>(),
                                                 .width = before.size(1)};
      kernels::lstm_forward(terms, before.size(0));
    });
    context->save_for_backward({gates, before, cell});
    return {hidden, cell};
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &gates = saved[0], &before = saved[1], &cell = saved[2];
    const Tensor dhidden = gradients[0].contiguous(), dcell = gradients[1].contiguous();
    const Tensor dgates = at::empty_like(gates), dbefore = at::empty_like(before);
    AT_DISPATCH_FLOATING_TYPES(gates.scalar_type(), "lstm_cell_backward", [&] {
      const kernels::LstmBackward<scalar_t> terms{
          .activated = gates.const_data_ptr<scalar_t>(),
          .cell_before = before.const_data_ptr<scalar_t>(),
          .cell = cell.const_data_ptr<scalar_t>(),
          .hidden_gradient = dhidden.const_data_ptr<scalar_t>(),
          .cell_gradient = dcell.const_data_ptr<scalar_t>(),
          .gate_gradient = dgates.mutable_data_ptr<scalar_t>(),
          .cell_before_gradient = dbefore.mutable_data_ptr<scalar_t>(),
          .width = before.size(1)};
      kernels::lstm_backward(terms, before.size(0));
    });
    return {dgates, dgates, dbefore};
  }
};

CellState plain_lstm(const Tensor& gates, const Tensor& cell_before) {
  const auto parts = gates.chunk(4, 1);  // each [N, H]
  const Tensor cell = parts[1].sigmoid() * cell_before + parts[0].sigmoid() * parts[2].tanh();
  return {parts[3].sigmoid() * cell.tanh(), cell};
}

}  // namespace

std::span<const char* const> option_names(Cell) {
  return cell_names;
}

int64_t gate_count(Cell cell) {
  return cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1;
}

CellState cell_step(Cell cell, const Tensor& input_gates, const Tensor& recurrent_gates,
                    const CellState& state) {
  if (cell == Cell::rnn) return {(input_gates + recurrent_gates).tanh(), {}};
  if (cell == Cell::lstm) {
    if (!fast_kernels_allowed(input_gates)) return plain_lstm(input_gates + recurrent_gates, state.cell);
    const auto result = LstmCell::apply(input_gates, recurrent_gates, state.cell);
    return {result[0], result[1]};
  }
  const auto x = input_gates.chunk(3, 1), h = recurrent_gates.chunk(3, 1);  // each [N, H]
  const Tensor reset = (x[0] + h[0]).sigmoid(), update = (x[1] + h[1]).sigmoid();
  const Tensor candidate = (x[2] + reset * h[2]).tanh();
  return {candidate + update * (state.hidden - candidate), {}};
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
  RecordedStates::add(*this, next);
  return next;
}

Tensor RecurrentLayerImpl::forward(const Tensor& x, const Tensor& recurrent_mask) {
  const bool tracing =
      torch::jit::tracer::isTracing();  // a loop would be unrolled to the length of the example
  if (recurrent_mask.defined() || (cell_ != Cell::lstm && !tracing) || RecordedStates::active())
    return forward_loop(x, recurrent_mask);
  // A zero state made from the input: a size read here would be baked in by tracing.
  const Tensor zeros =
      at::zeros_like(x.select(1, 0).narrow(1, 0, 1)).expand({-1, hidden_size()}).unsqueeze(0);
  const Tensor state = zeros.contiguous();  // [1, B, H]
  const std::vector<Tensor> weights{weight_ih, weight_hh, bias_ih, bias_hh};
  if (cell_ == Cell::gru)
    return std::get<0>(at::gru(x, state, weights, true, 1, 0.0, /*train=*/false, false, true));
  if (cell_ == Cell::rnn)
    return std::get<0>(at::rnn_tanh(x, state, weights, true, 1, 0.0, /*train=*/false, false, true));
  count_multiply_adds((at::GradMode::is_enabled() ? 3 : 1) * x.size(0) * x.size(1) *
                      (weight_ih.numel() + weight_hh.numel()));
  return std::get<0>(
      at::lstm(x, {state, state}, weights, /*has_biases=*/true, /*num_layers=*/1, /*dropout=*/0.0,
               /*train=*/at::GradMode::is_enabled(), /*bidirectional=*/false, /*batch_first=*/true));
}

Tensor RecurrentLayerImpl::forward_loop(const Tensor& x, const Tensor& recurrent_mask) {
  const auto gates = input_gates(x).unbind(1);  // S of [B, G*H]
  const Tensor zeros = at::zeros({x.size(0), hidden_size()}, x.options());
  const GatheredGradients gather;
  CellState state{zeros, cell_ == Cell::lstm ? zeros : Tensor()};
  std::vector<Tensor> hidden;
  hidden.reserve(gates.size());
  for (const Tensor& gate : gates) {
    state = step(gate, state, recurrent_mask);
    hidden.push_back(state.hidden);
  }
  return at::stack(hidden, 1);  // [B, S, H]
}

RecordedStates::RecordedStates() : outer_(recorder) {
  recorder = this;
}

RecordedStates::~RecordedStates() {
  recorder = outer_;
}

bool RecordedStates::active() {
  return recorder != nullptr;
}

void RecordedStates::add(const torch::nn::Module& module, const CellState& state) {
  if (recorder != nullptr) recorder->states_[&module].push_back(state);
}

const std::vector<CellState>& RecordedStates::of(const torch::nn::Module& module) const {
  static const std::vector<CellState> none;
  const auto found = states_.find(&module);
  return found == states_.end() ? none : found->second;
}

}  // namespace seq2seq
