#include "seq2seq/nn/ops/recurrence.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/engine/weight_store.h"
#include "seq2seq/nn/ops/kernel_sets.h"
#include "seq2seq/nn/ops/linear.h"

namespace seq2seq {
namespace {

constexpr const char* cell_names[] = {"rnn", "lstm", "gru"};

}  // namespace

std::span<const char* const> option_names(Cell) {
  return cell_names;
}

int64_t gate_count(Cell cell) {
  return cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1;
}

Tensor recurrence(Cell cell, const Tensor& x, const RecurrentWeights& weights) {
  const Compute& now = Compute::now();
  if (now.weights == nullptr || now.kernels != Kernels::fast || now.products != ProductFormat::float32 ||
      x.scalar_type() != at::kFloat || x.numel() == 0)
    return {};
  const KernelSet* set = kernels_for(x, &KernelSet::steps);
  const PackedWeight* packed = set == nullptr ? nullptr : now.weights->packed(weights.recurrent);
  if (packed == nullptr) return {};
  const StepKernels& kernels = *set->steps;
  const int64_t steps = x.size(1), rows = x.size(0), size = weights.recurrent.size(1),
                width = gate_count(cell) * size;
  count_multiply_adds(steps * rows * width * size);
  const Tensor gates =
      linear(x.transpose(0, 1).contiguous(), weights.input, weights.input_bias);  // [S, B, G*H]
  const Tensor hidden = at::empty({steps + 1, rows, size}, x.options()),
               cells = at::empty({2, rows, size}, x.options()),
               recurrent = at::empty({rows, cell == Cell::gru ? width : 0}, x.options());
  hidden.select(0, 0).zero_();
  cells.zero_();
  for (int64_t t = 0; t < steps; ++t) {
    const CellRows terms{.gates = gates.mutable_data_ptr<float>() + t * rows * width,
                         .recurrent_gates = recurrent.const_data_ptr<float>(),
                         .hidden_before = hidden.const_data_ptr<float>() + t * rows * size,
                         .cell_before = cells.const_data_ptr<float>() + t % 2 * rows * size,
                         .hidden = hidden.mutable_data_ptr<float>() + (t + 1) * rows * size,
                         .cell = cells.mutable_data_ptr<float>() + (t + 1) % 2 * rows * size,
                         .rows = rows,
                         .width = size};
    kernels.product({.x = terms.hidden_before,
                     .weight = packed->panels(),
                     .bias = weights.recurrent_bias.const_data_ptr<float>(),
                     .y = cell == Cell::gru ? recurrent.mutable_data_ptr<float>() : terms.gates,
                     .rows = rows,
                     .width = size,
                     .columns = width,
                     .x_stride = size,
                     .y_stride = width,
                     .add = cell != Cell::gru});
    if (cell == Cell::lstm) {
      kernels.lstm_cell(terms);
    } else if (cell == Cell::gru) {
      kernels.gru_cell(terms);
    } else {
      std::copy_n(terms.gates, rows * size, terms.hidden);
      kernels.nonlinear(Nonlinearity::tanh, {terms.hidden, rows, size, size});
    }
  }
  return hidden.narrow(0, 1, steps).transpose(0, 1).contiguous();
}

}  // namespace seq2seq
