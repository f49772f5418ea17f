#include "seq2seq/nn/layers/feed_forward.h"

#include <ATen/ATen.h>

#include "seq2seq/nn/ops/nonlinearity.h"

namespace seq2seq {
namespace {

constexpr const char* activation_names[] = {"relu", "gelu"};

}  // namespace

std::span<const char* const> option_names(Activation) {
  return activation_names;
}

FeedForwardImpl::FeedForwardImpl(int64_t width, int64_t inner_size, Activation activation, double dropout)
    : activation_(activation),
      dropout_(dropout),
      inner_(register_module("inner", Linear(width, inner_size))),
      outer_(register_module("outer", Linear(inner_size, width))) {}

Tensor FeedForwardImpl::forward(const Tensor& x, Noise* noise) {
  const Tensor inner = inner_->forward(x);
  const Tensor active =
      nonlinear(activation_ == Activation::relu ? Nonlinearity::relu : Nonlinearity::gelu, inner);
  return outer_->forward(dropout(active, dropout_, noise));
}

void FeedForwardImpl::initialize(Initializer& initializer) {
  inner_->initialize(initializer);
  outer_->initialize(initializer);
}

}  // namespace seq2seq
