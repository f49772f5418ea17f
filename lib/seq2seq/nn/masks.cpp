#include "seq2seq/nn/masks.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/functions/utils.h>

namespace seq2seq {
namespace {

class ReverseTime : public torch::autograd::Function<ReverseTime> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, const Tensor& positions) {
    context->save_for_backward({positions});
    return reorder_time(x, positions);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    return {reorder_time(gradients[0], context->get_saved_variables()[0]), {}};
  }
};

}  // namespace

Tensor positions_like(const Tensor& like) {
  return at::ones_like(like, like.options().dtype(at::kLong)).cumsum(1) - 1;
}

Tensor length_mask(const Tensor& lengths, const Tensor& like) {
  return positions_like(like) < lengths.unsqueeze(1);
}

Tensor reversed_positions(const Tensor& lengths, const Tensor& like) {
  const Tensor position = positions_like(like);                 // [B, S]
  const Tensor mirrored = lengths.unsqueeze(1) - 1 - position;  // [B, S]
  return at::where(mirrored >= 0, mirrored, position);
}

Tensor reorder_time(const Tensor& x, const Tensor& positions) {
  return x.gather(1, positions.unsqueeze(2).expand({-1, -1, x.size(2)}));  // [B, S, H]
}

Tensor reverse_time(const Tensor& x, const Tensor& positions) {
  return torch::autograd::compute_requires_grad(x) ? ReverseTime::apply(x, positions)
                                                   : reorder_time(x, positions);
}

Tensor last_state(const Tensor& x, const Tensor& lengths) {
  return x.gather(1, (lengths - 1).view({-1, 1, 1}).expand({-1, 1, x.size(2)})).squeeze(1);  // [B, H]
}

}  // namespace seq2seq
