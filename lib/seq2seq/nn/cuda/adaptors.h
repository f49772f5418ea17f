#pragma once

#include <ATen/Dispatch.h>
#include <ATen/ops/empty.h>

#include <iterator>
#include <type_traits>

#include "seq2seq/nn/cpu/terms.h"
#include "seq2seq/nn/cuda/functions.h"
#include "seq2seq/nn/cuda/top_k.h"
#include "seq2seq/nn/engine/kernel_set.h"

namespace seq2seq::cuda {

/// Passes the data of tensors to the functions of a `Library`. A Device has static functions serves(x) and
/// library(), and objects Device(x) that make the device of x the current one, with a `stream` on it.
template <class Device>
struct Adaptors {
  template <class Scalar>
  static const Functions<Scalar>& functions() {
    if constexpr (std::is_same_v<Scalar, float>)
      return Device::library().floats;
    else
      return Device::library().doubles;
  }
  static void check(const char* operation, int error) {
    TORCH_CHECK(error == 0, operation, ", CUDA kernel: ", Device::library().description(error));
  }

  static void lstm_cell(const Tensor& gates, const Tensor& cell_before, const Tensor& hidden,
                        const Tensor& cell) {
    const Device device(gates);
    AT_DISPATCH_FLOATING_TYPES(gates.scalar_type(), "lstm_cell", [&] {
      check("lstm_cell", functions<scalar_t>().lstm_forward(
                             kernels::lstm_forward_terms<scalar_t>(gates, cell_before, hidden, cell),
                             cell_before.size(0), device.stream));
    });
  }

  static void lstm_cell_backward(const Tensor& activated, const Tensor& cell_before, const Tensor& cell,
                                 const Tensor& hidden_gradient, const Tensor& cell_gradient,
                                 const Tensor& gate_gradient, const Tensor& cell_before_gradient) {
    const Device device(activated);
    AT_DISPATCH_FLOATING_TYPES(activated.scalar_type(), "lstm_cell_backward", [&] {
      check("lstm_cell_backward",
            functions<scalar_t>().lstm_backward(
                kernels::lstm_backward_terms<scalar_t>(activated, cell_before, cell, hidden_gradient,
                                                       cell_gradient, gate_gradient, cell_before_gradient),
                cell_before.size(0), device.stream));
    });
  }

  static void gru_cell(const Tensor& input_gates, const Tensor& recurrent_gates, const Tensor& hidden_before,
                       const Tensor& gates, const Tensor& hidden) {
    const Device device(gates);
    AT_DISPATCH_FLOATING_TYPES(gates.scalar_type(), "gru_cell", [&] {
      check("gru_cell",
            functions<scalar_t>().gru_forward(kernels::gru_forward_terms<scalar_t>(
                                                  input_gates, recurrent_gates, hidden_before, gates, hidden),
                                              hidden_before.size(0), device.stream));
    });
  }

  static void gru_cell_backward(const Tensor& gates, const Tensor& recurrent_gates,
                                const Tensor& hidden_before, const Tensor& hidden_gradient,
                                const Tensor& input_gradient, const Tensor& recurrent_gradient,
                                const Tensor& hidden_before_gradient) {
    const Device device(gates);
    AT_DISPATCH_FLOATING_TYPES(gates.scalar_type(), "gru_cell_backward", [&] {
      check("gru_cell_backward", functions<scalar_t>().gru_backward(
                                     kernels::gru_backward_terms<scalar_t>(
                                         gates, recurrent_gates, hidden_before, hidden_gradient,
                                         input_gradient, recurrent_gradient, hidden_before_gradient),
                                     hidden_before.size(0), device.stream));
    });
  }

  static void additive_scores(const AdditiveOperands& operands, const Tensor& scores) {
    const Device device(scores);
    AT_DISPATCH_FLOATING_TYPES(scores.scalar_type(), "additive_scores", [&] {
      check("additive_scores",
            functions<scalar_t>().additive_scores(kernels::additive_terms<scalar_t>(operands),
                                                  kernels::place<scalar_t>(scores), device.stream));
    });
  }

  static void additive_scores_backward(const AdditiveOperands& operands, const Tensor& score_gradient,
                                       const AdditiveGradients& gradients) {
    const Device device(score_gradient);
    AT_DISPATCH_FLOATING_TYPES(score_gradient.scalar_type(), "additive_scores_backward", [&] {
      check("additive_scores_backward",
            functions<scalar_t>().additive_backward(
                kernels::additive_terms<scalar_t>(operands), kernels::values<scalar_t>(score_gradient),
                kernels::additive_gradients<scalar_t>(gradients), device.stream));
    });
  }

  static void attend(const HeadOperands& operands, const Tensor& wanted, const Tensor& context) {
    const Device device(context);
    const Tensor weights = wanted.defined() ? wanted
                                            : at::empty({operands.queries.size(0), operands.queries.size(1),
                                                         operands.queries.size(2), operands.keys.size(2)},
                                                        context.options());
    AT_DISPATCH_FLOATING_TYPES(weights.scalar_type(), "attend", [&] {
      check("attend", functions<scalar_t>().attend(kernels::head_terms<scalar_t>(operands),
                                                   kernels::place<scalar_t>(weights),
                                                   kernels::place<scalar_t>(context), device.stream));
    });
  }

  static void attend_backward(const HeadOperands& operands, const Tensor& weights,
                              const Tensor& context_gradient, const HeadGradients& gradients) {
    const Device device(weights);
    const Tensor scratch = at::empty(weights.sizes(), weights.options());
    AT_DISPATCH_FLOATING_TYPES(weights.scalar_type(), "attend_backward", [&] {
      check("attend_backward",
            functions<scalar_t>().attend_backward(
                kernels::head_terms<scalar_t>(operands), kernels::values<scalar_t>(weights),
                kernels::values<scalar_t>(context_gradient), kernels::head_gradients<scalar_t>(gradients),
                kernels::place<scalar_t>(scratch), device.stream));
    });
  }

  template <class Scalar>
  static StatesTerms<Scalar> states_terms(const Tensor& factor, const Tensor& states,
                                          const Tensor& products) {
    return {kernels::values<Scalar>(factor),
            kernels::values<Scalar>(states),
            kernels::place<Scalar>(products),
            states.size(0),
            factor.size(1),
            states.size(1),
            states.size(2)};
  }

  static void states_dot(const Tensor& rows, const Tensor& states, const Tensor& products) {
    const Device device(states);
    AT_DISPATCH_FLOATING_TYPES(states.scalar_type(), "states_dot", [&] {
      check("states_dot",
            functions<scalar_t>().states_dot(states_terms<scalar_t>(rows, states, products), device.stream));
    });
  }

  static void weighted_states(const Tensor& weights, const Tensor& states, const Tensor& products) {
    const Device device(states);
    AT_DISPATCH_FLOATING_TYPES(states.scalar_type(), "weighted_states", [&] {
      check("weighted_states", functions<scalar_t>().weighted_states(
                                   states_terms<scalar_t>(weights, states, products), device.stream));
    });
  }

  static void cross_entropy(const CrossEntropyRows& rows) {
    const Device device(rows.logits);
    AT_DISPATCH_FLOATING_TYPES(rows.logits.scalar_type(), "cross_entropy", [&] {
      check("cross_entropy", functions<scalar_t>().cross_entropy(kernels::cross_entropy_terms<scalar_t>(rows),
                                                                 rows.logits.size(0), device.stream));
    });
  }

  static void top_k(const TopKRows& rows) {
    TORCH_CHECK(std::ssize(rows.banned) <= most_banned, "top_k: more than ", most_banned, " banned words");
    const Device device(rows.logits);
    AT_DISPATCH_FLOATING_TYPES(rows.logits.scalar_type(), "top_k", [&] {
      check("top_k", functions<scalar_t>().top_k(kernels::top_k_terms<scalar_t>(rows), rows.logits.size(0),
                                                 device.stream));
    });
  }

  static void dropout(uint64_t seed, double p, const Tensor& x, const Tensor& y) {
    const Device device(y);
    AT_DISPATCH_FLOATING_TYPES(y.scalar_type(), "dropout", [&] {
      check("dropout", functions<scalar_t>().dropout(kernels::dropout_terms<scalar_t>(seed, p, x, y),
                                                     y.numel(), device.stream));
    });
  }

  static void uniform(uint64_t seed, const Tensor& numbers) {
    const Device device(numbers);
    check("uniform", Device::library().uniform(kernels::draw_of(seed), kernels::place<float>(numbers),
                                               numbers.numel(), device.stream));
  }

  static constexpr KernelSet set(const char* name) {
    return {.name = name,
            .serves = Device::serves,
            .lstm_cell = lstm_cell,
            .lstm_cell_backward = lstm_cell_backward,
            .gru_cell = gru_cell,
            .gru_cell_backward = gru_cell_backward,
            .additive_scores = additive_scores,
            .additive_scores_backward = additive_scores_backward,
            .attend = attend,
            .attend_backward = attend_backward,
            .states_dot = states_dot,
            .weighted_states = weighted_states,
            .cross_entropy = cross_entropy,
            .top_k = top_k,
            .dropout = dropout,
            .uniform = uniform};
  }
};

}  // namespace seq2seq::cuda
