#include "seq2seq/nn/ops/gru_cell.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "seq2seq/nn/ops/checked.h"
#include "seq2seq/nn/ops/kernel_sets.h"

namespace seq2seq {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class FusedGruCell : public torch::autograd::Function<FusedGruCell> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& input_gates, const Tensor& recurrent_gates,
                        const Tensor& hidden_before, int64_t set) {
    const Tensor input = input_gates.contiguous(), recurrent = recurrent_gates.contiguous(),
                 before = hidden_before.contiguous();
    const Tensor gates = at::empty_like(input), hidden = at::empty_like(before);
    set_of(set).gru_cell(input, recurrent, before, gates, hidden);
    context->save_for_backward({gates, recurrent, before});
    context->saved_data["set"] = set;
    return hidden;
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
  const KernelSet* set = kernels_for(hidden_before);
  if (set == nullptr || set->gru_cell == nullptr)
    return plain_gru_cell(input_gates, recurrent_gates, hidden_before);
  return FusedGruCell::apply(input_gates, recurrent_gates, hidden_before, handle_of(set));
}

}  // namespace seq2seq
