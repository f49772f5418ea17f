#pragma once

// Steps of LSTMs and GRUs: one element of a state a thread.

#include "seq2seq/nn/cuda/group.h"

namespace seq2seq::cuda {

template <class Scalar>
struct LstmForwardElement {
  kernels::LstmForward<Scalar> terms;

  SEQ2SEQ_DEVICE void operator()(int64_t i) const {
    const int64_t width = terms.width;
    const Place place = place_of(i, width);
    Scalar* gates = terms.gates + 4 * place.row * width + place.column;
    const Scalar in = sigmoid(gates[0]), forget = sigmoid(gates[width]),
                 candidate = tangent(gates[2 * width]), out = sigmoid(gates[3 * width]);
    const Scalar cell = forget * terms.cell_before[i] + in * candidate;
    gates[0] = in;
    gates[width] = forget;
    gates[2 * width] = candidate;
    gates[3 * width] = out;
    terms.cell[i] = cell;
    terms.hidden[i] = out * tangent(cell);
  }
};

template <class Scalar>
struct LstmBackwardElement {
  kernels::LstmBackward<Scalar> terms;

  SEQ2SEQ_DEVICE void operator()(int64_t i) const {
    const int64_t width = terms.width;
    const Place place = place_of(i, width);
    const int64_t first = 4 * place.row * width + place.column;
    const Scalar* gates = terms.activated + first;
    Scalar* gradient = terms.gate_gradient + first;
    const Scalar in = gates[0], forget = gates[width], candidate = gates[2 * width], out = gates[3 * width];
    const Scalar dhidden = terms.hidden_gradient[i], squashed = tangent(terms.cell[i]);
    const Scalar dcell = terms.cell_gradient[i] + dhidden * out * (1 - squashed * squashed);
    gradient[0] = dcell * candidate * in * (1 - in);
    gradient[width] = dcell * terms.cell_before[i] * forget * (1 - forget);
    gradient[2 * width] = dcell * in * (1 - candidate * candidate);
    gradient[3 * width] = dhidden * squashed * out * (1 - out);
    terms.cell_before_gradient[i] = dcell * forget;
  }
};

template <class Scalar>
struct GruForwardElement {
  kernels::GruForward<Scalar> terms;

  SEQ2SEQ_DEVICE void operator()(int64_t i) const {
    const int64_t width = terms.width;
    const Place place = place_of(i, width);
    const int64_t first = 3 * place.row * width + place.column;
    const Scalar *input = terms.input_gates + first, *recurrent = terms.recurrent_gates + first;
    const Scalar reset = sigmoid(input[0] + recurrent[0]), update = sigmoid(input[width] + recurrent[width]),
                 candidate = tangent(input[2 * width] + reset * recurrent[2 * width]);
    Scalar* gates = terms.gates + first;
    gates[0] = reset;
    gates[width] = update;
    gates[2 * width] = candidate;
    terms.hidden[i] = candidate + update * (terms.hidden_before[i] - candidate);
  }
};

template <class Scalar>
struct GruBackwardElement {
  kernels::GruBackward<Scalar> terms;

  SEQ2SEQ_DEVICE void operator()(int64_t i) const {
    const int64_t width = terms.width;
    const Place place = place_of(i, width);
    const int64_t first = 3 * place.row * width + place.column;
    const Scalar* gates = terms.gates + first;
    const Scalar reset = gates[0], update = gates[width], candidate = gates[2 * width];
    const Scalar dhidden = terms.hidden_gradient[i];
    const Scalar dcandidate = dhidden * (1 - update) * (1 - candidate * candidate);
    const Scalar dupdate = dhidden * (terms.hidden_before[i] - candidate) * update * (1 - update);
    const Scalar dreset = dcandidate * terms.recurrent_gates[first + 2 * width] * reset * (1 - reset);
    Scalar *dinput = terms.input_gradient + first, *drecurrent = terms.recurrent_gradient + first;
    dinput[0] = drecurrent[0] = dreset;
    dinput[width] = drecurrent[width] = dupdate;
    dinput[2 * width] = dcandidate;
    drecurrent[2 * width] = dcandidate * reset;
    terms.hidden_before_gradient[i] = dhidden * update;
  }
};

}  // namespace seq2seq::cuda
