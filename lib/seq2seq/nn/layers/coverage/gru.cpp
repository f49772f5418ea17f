#include "seq2seq/nn/layers/coverage/gru.h"

#include <ATen/ATen.h>

#include "seq2seq/nn/layers/recurrent.h"

namespace seq2seq {

GruCoverage::Layer::Layer(const GruCoverage&, torch::nn::Module& owner, const CoverageSizes& sizes) {
  constexpr int64_t gates = 3 * cell_size;
  weight = owner.register_parameter("coverage_weight", at::empty({sizes.key, cell_size}));
  state_gates_ = owner.register_module("coverage_state", Linear(sizes.memory, gates));
  query_gates_ = owner.register_module("coverage_query", Linear(sizes.query, gates, false));
  cell_gates_ = owner.register_module("coverage_cell", Linear(cell_size, gates));
  attention_gates_ = owner.register_parameter("coverage_attention", at::empty({gates}));
}

CoverageState GruCoverage::Layer::start(const Tensor& states) const {
  return {at::zeros_like(states.select(2, 0)),
          at::zeros_like(states.narrow(2, 0, 1)).expand({-1, -1, cell_size}).contiguous()};
}

CoverageState GruCoverage::Layer::next(const CoverageState& past, const Tensor& weights, const Tensor& query,
                                       const Tensor& gates) {
  const int64_t hypotheses = query.size(0) / gates.size(0);
  const Tensor looked = gates.repeat_interleave(hypotheses, 0) + query_gates_->forward(query).unsqueeze(1) +
                        weights.unsqueeze(2) * attention_gates_;  // [N, S, 3D]
  const Tensor cells = past.cells.reshape({-1, cell_size});       // [N * S, D]
  const CellState next =
      cell_step(Cell::gru, looked.reshape({-1, 3 * cell_size}), cell_gates_->forward(cells), {cells, {}});
  return {past.sum + weights, next.hidden.view_as(past.cells)};
}

}  // namespace seq2seq
