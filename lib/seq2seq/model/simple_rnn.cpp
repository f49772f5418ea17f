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

}  // namespace seq2seq
