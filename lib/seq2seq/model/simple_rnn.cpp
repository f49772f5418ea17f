#include "seq2seq/model/simple_rnn.h"

#include <ATen/ATen.h>

namespace seq2seq {

SimpleRnnImpl::SimpleRnnImpl(int64_t input_size, int64_t hidden_size, int64_t output_size)
    : recurrence_(register_module("recurrence", RecurrentLayer(Cell::rnn, input_size, hidden_size))),
      head_(register_module("head", Linear(hidden_size, output_size))) {}

Tensor SimpleRnnImpl::states(const Tensor& x) {
  check_shape("x", x, {-1, -1, recurrence_->weight_ih.size(1)});
  return recurrence_->forward_loop(x);
}

Tensor SimpleRnnImpl::forward_fused(const Tensor& x) {
  const Tensor state = at::zeros({1, x.size(0), recurrence_->hidden_size()}, x.options());
  const std::vector<Tensor> weights{recurrence_->weight_ih, recurrence_->weight_hh, recurrence_->bias_ih,
                                    recurrence_->bias_hh};
  const Tensor states = std::get<0>(at::rnn_tanh(x, state, weights, /*has_biases=*/true, /*num_layers=*/1,
                                                 /*dropout=*/0.0, /*train=*/false, /*bidirectional=*/false,
                                                 /*batch_first=*/true));
  return head_->forward(states.select(1, -1));
}

}  // namespace seq2seq
