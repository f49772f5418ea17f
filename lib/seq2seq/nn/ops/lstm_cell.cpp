#include "seq2seq/nn/ops/lstm_cell.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/functions/utils.h>

#include "seq2seq/nn/ops/checked.h"
#include "seq2seq/nn/ops/kernel_sets.h"

namespace seq2seq {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct FusedState {
  Tensor gates, before, hidden, cell;  // gates: activated
};

FusedState fused_lstm_cell(const KernelSet& kernels, const Tensor& input_gates, const Tensor& recurrent_gates,
                           const Tensor& cell_before) {
  FusedState state{(input_gates + recurrent_gates).contiguous(), cell_before.contiguous(), {}, {}};
  state.hidden = at::empty_like(state.before);
  state.cell = at::empty_like(state.before);
  kernels.lstm_cell(state.gates, state.before, state.hidden, state.cell);
  return state;
}

class FusedLstmCell : public torch::autograd::Function<FusedLstmCell> {
 public:
  static variable_list forward(AutogradContext* context, const Tensor& input_gates,
                               const Tensor& recurrent_gates, const Tensor& cell_before, int64_t set) {
    const FusedState state = fused_lstm_cell(set_of(set), input_gates, recurrent_gates, cell_before);
    context->save_for_backward({state.gates, state.before, state.cell});
    context->saved_data["set"] = set;
    return {state.hidden, state.cell};
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const KernelSet& kernels = set_of(context->saved_data["set"].toInt());
    const auto saved = context->get_saved_variables();
    const Tensor dgates = at::empty_like(saved[0]), dbefore = at::empty_like(saved[1]);
    kernels.lstm_cell_backward(saved[0], saved[1], saved[2], gradients[0].contiguous(),
                               gradients[1].contiguous(), dgates, dbefore);
    return {dgates, dgates, dbefore, {}};
  }
};

CellState plain_lstm_cell(const Tensor& gates, const Tensor& cell_before) {
  const auto parts = gates.chunk(4, 1);  // each [N, H]
  const Tensor cell = parts[1].sigmoid() * cell_before + parts[0].sigmoid() * parts[2].tanh();
  return {parts[3].sigmoid() * cell.tanh(), cell};
}

}  // namespace

CellState lstm_cell(const Tensor& input_gates, const Tensor& recurrent_gates, const Tensor& cell_before) {
  if (checking(cell_before)) {
    const auto states = checked("lstm_cell", {input_gates, recurrent_gates, cell_before},
                                [](const variable_list& x) -> variable_list {
                                  const CellState next = lstm_cell(x[0], x[1], x[2]);
                                  return {next.hidden, next.cell};
                                });
    return {states[0], states[1]};
  }
  const KernelSet* set = kernels_for(cell_before, &KernelSet::lstm_cell);
  if (set == nullptr) return plain_lstm_cell(input_gates + recurrent_gates, cell_before);
  if (!torch::autograd::compute_requires_grad(input_gates, recurrent_gates, cell_before)) {
    const FusedState next = fused_lstm_cell(*set, input_gates, recurrent_gates, cell_before);
    return {next.hidden, next.cell};
  }
  const auto states = FusedLstmCell::apply(input_gates, recurrent_gates, cell_before, handle_of(set));
  return {states[0], states[1]};
}

}  // namespace seq2seq
