#include "seq2seq/nn/layers/linear.h"

#include <ATen/ATen.h>

#include "seq2seq/nn/layers/initializer.h"

namespace seq2seq {

LinearImpl::LinearImpl(int64_t inputs, int64_t outputs, bool with_bias)
    : weight(register_parameter("weight", at::empty({outputs, inputs}))),
      bias(with_bias ? register_parameter("bias", at::empty({outputs})) : Tensor()) {}

void LinearImpl::initialize(Initializer& initializer) {
  initializer.matrix(weight);
  if (bias.defined()) initializer.constant(bias, 0);
}

}  // namespace seq2seq
