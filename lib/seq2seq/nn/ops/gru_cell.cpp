#include "seq2seq/nn/ops/gru_cell.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/functions/utils.h>

#include "seq2seq/nn/ops/checked.h"
#include "seq2seq/nn/ops/kernel_sets.h"

namespace seq2seq {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct FusedUnit {
  Tensor recurrent, before, gates, hidden;  // gates: activated
};

FusedUnit fused_gru_cell(const KernelSet& kernels, const Tensor& input_gates, const Tensor& recurrent_gates,
                         const Tensor& hidden_before) {
  const Tensor input = input_gates.contiguous();
  FusedUnit unit{recurrent_gates.contiguous(), hidden_before.contiguous(), at::empty_like(input), {}};
  unit.hidden = at::empty_like(unit.before);
  kernels.gru_cell(input, unit.recurrent, unit.before, unit.gates, unit.hidden);
  return unit;
}

class FusedGruCell : public torch::autograd::Function<FusedGruCell> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& input_gates, const Tensor& recurrent_gates,
                        const Tensor& hidden_before, int64_t set) {
    const FusedUnit unit = fused_gru_cell(set_of(set), input_gates, recurrent_gates, hidden_before);
    context->save_for_backward({unit.gates, unit.recurrent, unit.before});
    context->saved_data["set"] = set;
    return unit.hidden;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor dinput = at::empty_like(saved[0]), drecurrent = at::empty_like(saved[0]),
                 dbefore = at::empty_like(saved[2]);
    set_of(context->saved_data["set"].toInt())
        .gru_cell_backward(saved[0], saved[1], saved[2], gradients[0].contiguous(), dinput, drecurrent,
                           dbefore);
    return {dinput, drecurrent, dbefore, {}};
  }
};

Tensor plain_gru_cell(const Tensor& input_gates, const Tensor& recurrent_gates, const Tensor& hidden_before) {
  const auto x = input_gates.chunk(3, 1), h = recurrent_gates.chunk(3, 1);  // each [N, H]
  const Tensor reset = (x[0] + h[0]).sigmoid(), update = (x[1] + h[1]).sigmoid();
  const Tensor candidate = (x[2] + reset * h[2]).tanh();
  return candidate + update * (hidden_before - candidate);
}

}  // namespace

Tensor gru_cell(const Tensor& input_gates, const Tensor& recurrent_gates, const Tensor& hidden_before) {
  if (checking(hidden_before))
    return checked("gru_cell", {input_gates, recurrent_gates, hidden_before},
                   [](const variable_list& x) { return variable_list{gru_cell(x[0], x[1], x[2])}; })[0];
  const KernelSet* set = kernels_for(hidden_before, &KernelSet::gru_cell);
  if (set == nullptr) return plain_gru_cell(input_gates, recurrent_gates, hidden_before);
  if (!torch::autograd::compute_requires_grad(input_gates, recurrent_gates, hidden_before))
    return fused_gru_cell(*set, input_gates, recurrent_gates, hidden_before).hidden;
  return FusedGruCell::apply(input_gates, recurrent_gates, hidden_before, handle_of(set));
}

}  // namespace seq2seq
