#pragma once

// From the tensors of a KernelSet's functions to the structs of loops.h.

#include <cstdint>
#include <iterator>

#include "seq2seq/nn/cpu/loops.h"
#include "seq2seq/nn/engine/kernel_set.h"

namespace seq2seq::kernels {

/// Null if the tensor is undefined.
template <class Scalar>
const Scalar* values(const Tensor& x) {
  return x.defined() ? x.const_data_ptr<Scalar>() : nullptr;
}
template <class Scalar>
Scalar* place(const Tensor& x) {
  return x.defined() ? x.mutable_data_ptr<Scalar>() : nullptr;
}

template <class Scalar>
LstmForward<Scalar> lstm_forward_terms(const Tensor& gates, const Tensor& cell_before, const Tensor& hidden,
                                       const Tensor& cell) {
  return {.gates = place<Scalar>(gates),
          .cell_before = values<Scalar>(cell_before),
          .hidden = place<Scalar>(hidden),
          .cell = place<Scalar>(cell),
          .width = cell_before.size(1)};
}

template <class Scalar>
LstmBackward<Scalar> lstm_backward_terms(const Tensor& activated, const Tensor& cell_before,
                                         const Tensor& cell, const Tensor& hidden_gradient,
                                         const Tensor& cell_gradient, const Tensor& gate_gradient,
                                         const Tensor& cell_before_gradient) {
  return {.activated = values<Scalar>(activated),
          .cell_before = values<Scalar>(cell_before),
          .cell = values<Scalar>(cell),
          .hidden_gradient = values<Scalar>(hidden_gradient),
          .cell_gradient = values<Scalar>(cell_gradient),
          .gate_gradient = place<Scalar>(gate_gradient),
          .cell_before_gradient = place<Scalar>(cell_before_gradient),
          .width = cell_before.size(1)};
}

template <class Scalar>
GruForward<Scalar> gru_forward_terms(const Tensor& input_gates, const Tensor& recurrent_gates,
                                     const Tensor& hidden_before, const Tensor& gates, const Tensor& hidden) {
  return {.input_gates = values<Scalar>(input_gates),
          .recurrent_gates = values<Scalar>(recurrent_gates),
          .hidden_before = values<Scalar>(hidden_before),
          .gates = place<Scalar>(gates),
          .hidden = place<Scalar>(hidden),
          .width = hidden_before.size(1)};
}

template <class Scalar>
GruBackward<Scalar> gru_backward_terms(const Tensor& gates, const Tensor& recurrent_gates,
                                       const Tensor& hidden_before, const Tensor& hidden_gradient,
                                       const Tensor& input_gradient, const Tensor& recurrent_gradient,
                                       const Tensor& hidden_before_gradient) {
  return {.gates = values<Scalar>(gates),
          .recurrent_gates = values<Scalar>(recurrent_gates),
          .hidden_before = values<Scalar>(hidden_before),
          .hidden_gradient = values<Scalar>(hidden_gradient),
          .input_gradient = place<Scalar>(input_gradient),
          .recurrent_gradient = place<Scalar>(recurrent_gradient),
          .hidden_before_gradient = place<Scalar>(hidden_before_gradient),
          .width = hidden_before.size(1)};
}

template <class Scalar>
AdditiveTerms<Scalar> additive_terms(const AdditiveOperands& x) {
  return {.keys = values<Scalar>(x.keys),
          .query = values<Scalar>(x.query),
          .v = values<Scalar>(x.v),
          .coverage = values<Scalar>(x.coverage),
          .coverage_weight = values<Scalar>(x.coverage_weight),
          .mask = values<bool>(x.mask),
          .sentences = x.keys.size(0),
          .hypotheses = x.query.size(1),
          .length = x.keys.size(1),
          .width = x.keys.size(2)};
}

template <class Scalar>
AdditiveGradients<Scalar> additive_gradients(const seq2seq::AdditiveGradients& x) {
  return {.keys = place<Scalar>(x.keys),
          .query = place<Scalar>(x.query),
          .v_rows = place<Scalar>(x.v_rows),
          .coverage = place<Scalar>(x.coverage),
          .coverage_weight_rows = place<Scalar>(x.coverage_weight_rows)};
}

inline HeadStrides strides_of(const Tensor& x) {
  return {x.stride(0), x.stride(1), x.stride(2)};
}

template <class Scalar>
HeadTerms<Scalar> head_terms(const HeadOperands& x) {
  return {.queries = values<Scalar>(x.queries),
          .keys = values<Scalar>(x.keys),
          .values = values<Scalar>(x.values),
          .query_strides = strides_of(x.queries),
          .key_strides = strides_of(x.keys),
          .value_strides = strides_of(x.values),
          .mask = values<bool>(x.mask),
          .dropout = values<Scalar>(x.factors),
          .causal = x.causal,
          .scale = static_cast<Scalar>(x.scale),
          .sentences = x.queries.size(0),
          .heads = x.queries.size(1),
          .query_count = x.queries.size(2),
          .length = x.keys.size(2),
          .width = x.queries.size(3)};
}

template <class Scalar>
HeadGradients<Scalar> head_gradients(const seq2seq::HeadGradients& x) {
  return {place<Scalar>(x.queries), place<Scalar>(x.keys), place<Scalar>(x.values)};
}

template <class Scalar>
CrossEntropy<Scalar> cross_entropy_terms(const CrossEntropyRows& rows) {
  return {.logits = place<Scalar>(rows.logits),
          .targets = values<int64_t>(rows.targets),
          .mixture = {.generated = values<Scalar>(rows.generated),
                      .copied = values<Scalar>(rows.copied),
                      .generated_gradient = place<Scalar>(rows.generated_gradient),
                      .copied_gradient = place<Scalar>(rows.copied_gradient),
                      .least_probability = static_cast<Scalar>(rows.least_probability)},
          .smoothing = static_cast<Scalar>(rows.smoothing),
          .gradient = rows.gradient,
          .loss = place<Scalar>(rows.loss),
          .nll = place<Scalar>(rows.negative_log_likelihood),
          .vocabulary = rows.logits.size(1)};
}

template <class Scalar>
TopKTerms<Scalar> top_k_terms(const TopKRows& rows) {
  Copies<Scalar> copies;
  if (rows.slots.defined())
    copies = {.generated = values<Scalar>(rows.generated),
              .copied = values<Scalar>(rows.copied),
              .slots = values<int64_t>(rows.slots),
              .length = rows.slots.size(1),
              .hypotheses = rows.logits.size(0) / rows.slots.size(0),
              .least_probability = static_cast<Scalar>(rows.least_probability)};
  return {.logits = place<Scalar>(rows.logits),
          .columns = {rows.k, rows.banned.data(), std::ssize(rows.banned), rows.watched},
          .copies = copies,
          .adjusted = {.all = rows.adjustments.data(),
                       .begins = rows.adjustment_begins.data(),
                       .log_probabilities = place<Scalar>(rows.adjusted),
                       .likeliest = place<Scalar>(rows.likeliest)},
          .log_probabilities = place<Scalar>(rows.log_probabilities),
          .indices = place<int64_t>(rows.indices),
          .watched_value = place<Scalar>(rows.watched_value),
          .vocabulary = rows.logits.size(1)};
}

inline PackedProduct packed_product_terms(const Tensor& x, const WeightPanels& weight, const Tensor& bias,
                                          const Tensor& y) {
  return {.x = values<float>(x),
          .weight = weight,
          .bias = values<float>(bias),
          .y = place<float>(y),
          .rows = x.size(0),
          .width = x.size(1),
          .columns = y.size(1),
          .x_stride = x.stride(0),
          .y_stride = y.stride(0)};
}

inline LstmForward<float> lstm_terms(const CellRows& x) {
  return {
      .gates = x.gates, .cell_before = x.cell_before, .hidden = x.hidden, .cell = x.cell, .width = x.width};
}

inline GruForward<float> gru_terms(const CellRows& x) {
  return {.input_gates = x.gates,
          .recurrent_gates = x.recurrent_gates,
          .hidden_before = x.hidden_before,
          .gates = x.gates,
          .hidden = x.hidden,
          .width = x.width};
}

inline Draw draw_of(uint64_t seed) {
  return {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
}

template <class Scalar>
DropoutTerms<Scalar> dropout_terms(uint64_t seed, double p, const Tensor& x, const Tensor& y) {
  return {.draw = draw_of(seed),
          .threshold = static_cast<uint32_t>(p * 0x1.0p24),
          .scale = static_cast<Scalar>(static_cast<float>(1.0 / (1.0 - p))),
          .x = values<Scalar>(x),
          .y = place<Scalar>(y)};
}

}  // namespace seq2seq::kernels
