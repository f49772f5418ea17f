#include "seq2seq/nn/multi_head_attention.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/functions/utils.h>

#include <cmath>

#include "seq2seq/nn/cpu/kernels.h"

namespace seq2seq {
namespace {

constexpr double hidden = -1e9;  // a score whose weight is zero

double scale_of(const Tensor& queries) {
  return 1.0 / std::sqrt(static_cast<double>(queries.size(-1)));
}

// Scores [B, heads, Q, S] with what may not be seen taken out.
Tensor restricted(const Tensor& scores, const Visible& visible) {
  Tensor result = scores;
  if (visible.mask.defined())
    result = result.masked_fill(visible.mask.logical_not().unsqueeze(1).unsqueeze(1), hidden);
  if (visible.causal) {
    const Tensor later =
        at::ones({scores.size(2), scores.size(3)}, scores.options().dtype(at::kBool)).triu(1);
    result = result.masked_fill(later, hidden);
  }
  return result;
}

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

kernels::HeadStrides strides_of(const Tensor& x) {
  return {x.stride(0), x.stride(1), x.stride(2)};
}

template <class Scalar>
kernels::HeadTerms<Scalar> terms_of(const variable_list& tensors, bool causal) {
  const Tensor &queries = tensors[0], &keys = tensors[1], &values = tensors[2], &mask = tensors[3],
               &dropout = tensors[4];
  return {.queries = queries.const_data_ptr<Scalar>(),
          .keys = keys.const_data_ptr<Scalar>(),
          .values = values.const_data_ptr<Scalar>(),
          .query_strides = strides_of(queries),
          .key_strides = strides_of(keys),
          .value_strides = strides_of(values),
          .mask = mask.defined() ? mask.const_data_ptr<bool>() : nullptr,
          .dropout = dropout.defined() ? dropout.const_data_ptr<Scalar>() : nullptr,
          .causal = causal,
          .scale = static_cast<Scalar>(scale_of(queries)),
          .sentences = queries.size(0),
          .heads = queries.size(1),
          .query_count = queries.size(2),
          .length = keys.size(2),
          .width = queries.size(3)};
}

// Positions may lie anywhere, but each must stand together.
Tensor with_whole_positions(const Tensor& x) {
  return x.stride(3) == 1 ? x : x.contiguous();
}

// What is attended to [B, Q, heads * d], and the weights [B, heads, Q, S].
std::pair<Tensor, Tensor> fused(const variable_list& tensors, bool causal) {
  const Tensor &queries = tensors[0], &keys = tensors[1];
  const Tensor weights =
      at::empty({queries.size(0), queries.size(1), queries.size(2), keys.size(2)}, queries.options());
  const Tensor result =
      at::empty({queries.size(0), queries.size(2), queries.size(1) * queries.size(3)}, queries.options());
  AT_DISPATCH_FLOATING_TYPES(queries.scalar_type(), "attend", [&] {
    kernels::attend<scalar_t>(terms_of<scalar_t>(tensors, causal), weights.mutable_data_ptr<scalar_t>(),
                              result.mutable_data_ptr<scalar_t>());
  });
  return {result, weights};
}

class FusedAttention : public torch::autograd::Function<FusedAttention> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& queries, const Tensor& keys,
                        const Tensor& values, const std::optional<Tensor>& mask,
                        const std::optional<Tensor>& dropout, bool causal) {
    const variable_list tensors{with_whole_positions(queries), with_whole_positions(keys),
                                with_whole_positions(values), mask.value_or(Tensor()),
                                dropout.value_or(Tensor())};
    const auto [result, weights] = fused(tensors, causal);
    variable_list saved = tensors;
    saved.push_back(weights);
    context->save_for_backward(std::move(saved));
    context->saved_data["causal"] = causal;
    return result;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const bool causal = context->saved_data["causal"].toBool();
    const Tensor dcontext = gradients[0].contiguous();
    const auto laid_out = [](const Tensor& x) {  // [B, T, heads, d]
      return at::empty({x.size(0), x.size(2), x.size(1), x.size(3)}, x.options());
    };
    const Tensor dqueries = laid_out(saved[0]), dkeys = laid_out(saved[1]), dvalues = laid_out(saved[2]);
    AT_DISPATCH_FLOATING_TYPES(dcontext.scalar_type(), "attend_backward", [&] {
      kernels::attend_backward<scalar_t>(
          terms_of<scalar_t>(saved, causal), saved[5].const_data_ptr<scalar_t>(),
          dcontext.const_data_ptr<scalar_t>(),
          {dqueries.mutable_data_ptr<scalar_t>(), dkeys.mutable_data_ptr<scalar_t>(),
           dvalues.mutable_data_ptr<scalar_t>()});
    });
    return {dqueries.transpose(1, 2), dkeys.transpose(1, 2), dvalues.transpose(1, 2), {}, {}, {}};
  }
};

Tensor joined_heads(const Tensor& context) {
  return context.transpose(1, 2).flatten(2);
}

}  // namespace

std::pair<Tensor, Tensor> attend_with_weights(const Tensor& queries, const HeadMemory& memory,
                                              const Visible& visible, const WeightDropout& dropped) {
  const Tensor scores =
      (queries * scale_of(queries)).matmul(memory.keys.transpose(2, 3));  // [B, heads, Q, S]
  const Tensor weights = restricted(scores, visible).softmax(3);
  return {joined_heads(dropout(weights, dropped.p, dropped.noise).matmul(memory.values)), weights};
}

Tensor attend(const Tensor& queries, const HeadMemory& memory, const Visible& visible,
              const WeightDropout& dropped) {
  const int64_t sentences = queries.size(0), heads = queries.size(1), width = queries.size(3);
  const int64_t length = memory.keys.size(2);
  check_shape("keys", memory.keys, {sentences, heads, -1, width});
  check_shape("values", memory.values, {sentences, heads, length, width});
  if (visible.mask.defined()) check_shape("mask", visible.mask, {sentences, length});
  TORCH_CHECK(!visible.causal || queries.size(2) == length, "causal attention of ", queries.size(2),
              " queries to ", length, " keys");
  if (!fast_kernels_allowed(queries)) return attend_with_weights(queries, memory, visible, dropped).first;
  std::optional<Tensor> mask, factors;
  if (visible.mask.defined()) mask = visible.mask.contiguous();
  if (dropped.active())
    factors = dropped.noise->mask(
        at::empty({queries.size(0), queries.size(1), queries.size(2), memory.keys.size(2)},
                  queries.options()),
        dropped.p);
  return FusedAttention::apply(queries, memory.keys, memory.values, mask, factors, visible.causal);
}

Tensor split_heads(const Tensor& x, int64_t heads) {
  return x.unflatten(-1, {heads, x.size(-1) / heads}).transpose(1, 2);
}

SelfAttentionImpl::SelfAttentionImpl(int64_t width, int64_t heads, double dropout)
    : heads_(heads),
      head_width_(width / heads),
      dropout_(dropout),
      projection_(register_module("projection", Linear(width, 3 * width))),
      output_(register_module("output", Linear(width, width))) {
  TORCH_CHECK(width % heads == 0, heads, " heads do not divide ", width);
}

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

CrossAttentionImpl::CrossAttentionImpl(int64_t width, int64_t memory_size, int64_t heads, double dropout)
    : heads_(heads),
      dropout_(dropout),
      query_(register_module("query", Linear(width, width))),
      memory_(register_module("memory", Linear(memory_size, 2 * width))),
      output_(register_module("output", Linear(width, width))) {
  TORCH_CHECK(width % heads == 0, heads, " heads do not divide ", width);
}

HeadMemory CrossAttentionImpl::prepare(const Tensor& states) {
  const auto parts = memory_->forward(states).chunk(2, -1);
  return {split_heads(parts[0], heads_), split_heads(parts[1], heads_)};
}

Tensor CrossAttentionImpl::forward(const Tensor& x, const HeadMemory& memory, const Tensor& mask,
                                   Tensor* weights, Noise* noise) {
  // The hypotheses of a sentence are further queries to the same keys.
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
    const bool differentiate = torch::autograd::compute_requires_grad(queries, memory.keys, memory.values);
    if (!differentiate && noise == nullptr && fast_kernels_allowed(queries))
      std::tie(context, all) = fused({with_whole_positions(queries), with_whole_positions(memory.keys),
                                      with_whole_positions(memory.values), mask.contiguous(), Tensor()},
                                     /*causal=*/false);
    else
      std::tie(context, all) = attend_with_weights(queries, memory, visible, {dropout_, noise});
    *weights = by_row(all.select(1, 0));
  }
  return output_->forward(by_row(context));
}

}  // namespace seq2seq
