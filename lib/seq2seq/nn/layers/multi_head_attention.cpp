#include "seq2seq/nn/layers/multi_head_attention.h"

#include <ATen/ATen.h>

namespace seq2seq {
namespace {

int64_t width_of_head(int64_t width, int64_t heads) {
  TORCH_CHECK(heads > 0 && width % heads == 0, heads, " heads do not divide ", width);
  return width / heads;
}

}  // namespace

Tensor split_heads(const Tensor& x, int64_t heads) {
  return x.unflatten(-1, {heads, x.size(-1) / heads}).transpose(1, 2);
}

SelfAttentionImpl::SelfAttentionImpl(int64_t width, int64_t heads, double dropout)
    : heads_(heads),
      head_width_(width_of_head(width, heads)),
      dropout_(dropout),
      projection_(register_module("projection", Linear(width, 3 * width))),
      output_(register_module("output", Linear(width, width))) {}

Tensor SelfAttentionImpl::forward(const Tensor& x, const Visible& visible, const Rotation* rotation,
                                  HeadMemory* before, Noise* noise) {
  const auto parts = projection_->forward(x).chunk(3, -1);  // each [N, T, D]
  Tensor queries = split_heads(parts[0], heads_);
  HeadMemory own{split_heads(parts[1], heads_), split_heads(parts[2], heads_)};
  if (rotation != nullptr) {
    queries = rotated(queries, *rotation);
    own.keys = rotated(own.keys, *rotation);
  }
  if (before != nullptr) {
    own = {at::cat({before->keys, own.keys}, 2), at::cat({before->values, own.values}, 2)};
    *before = own;
  }
  return output_->forward(attend(queries, own, visible, {dropout_, noise}));
}

HeadMemory SelfAttentionImpl::nothing(const Tensor& like) const {
  const Tensor one =
      at::zeros_like(like.select(1, 0).narrow(1, 0, 1)).unsqueeze(1).unsqueeze(1);  // [N, 1, 1, 1]
  const Tensor none = one.narrow(2, 0, 0).expand({-1, heads_, 0, head_width_});
  return {none, none};
}

void SelfAttentionImpl::initialize(Initializer& initializer) {
  projection_->initialize(initializer);
  output_->initialize(initializer);
}

CrossAttentionImpl::CrossAttentionImpl(int64_t width, int64_t memory_size, int64_t heads, double dropout)
    : heads_(heads),
      dropout_(dropout),
      query_(register_module("query", Linear(width, width))),
      memory_(register_module("memory", Linear(memory_size, 2 * width))),
      output_(register_module("output", Linear(width, width))) {
  width_of_head(width, heads);
}

HeadMemory CrossAttentionImpl::prepare(const Tensor& states) {
  const auto parts = memory_->forward(states).chunk(2, -1);
  return {split_heads(parts[0], heads_), split_heads(parts[1], heads_)};
}

Tensor CrossAttentionImpl::forward(const Tensor& x, const HeadMemory& memory, const Tensor& mask,
                                   Tensor* weights, Noise* noise) {
  // The hypotheses of a sentence are additional queries to the same keys.
  const int64_t hypotheses = x.size(0) / memory.keys.size(0);
  const auto by_row = [&](const Tensor& y) { return y.unflatten(1, {hypotheses, -1}).flatten(0, 1); };
  const Tensor by_sentence = query_->forward(x).unflatten(0, {-1, hypotheses}).flatten(1, 2);
  const Tensor queries = split_heads(by_sentence, heads_);
  const Visible visible{mask};
  Tensor context;
  if (weights == nullptr) {
    context = attend(queries, memory, visible, {dropout_, noise});
  } else {
    Tensor all;
    std::tie(context, all) = attend_with_weights(queries, memory, visible, {dropout_, noise});
    *weights = by_row(all.select(1, 0));
  }
  return output_->forward(by_row(context));
}

void CrossAttentionImpl::initialize(Initializer& initializer) {
  query_->initialize(initializer);
  memory_->initialize(initializer);
  output_->initialize(initializer);
}

}  // namespace seq2seq
