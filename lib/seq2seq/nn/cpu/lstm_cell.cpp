#include "seq2seq/nn/cpu/loop_math.h"
#include "seq2seq/nn/cpu/loops.h"

namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET {
namespace {

template <class Scalar>
SEQ2SEQ_INLINE void lstm_forward_row(Scalar* __restrict gates, const Scalar* __restrict before,
                                     Scalar* __restrict hidden, Scalar* __restrict cell, int64_t width) {
  Scalar *in = gates, *forget = gates + width, *candidate = gates + 2 * width, *out = gates + 3 * width;
  for (int64_t i = 0; i < width; ++i) {
    in[i] = sigmoid(in[i]);
    forget[i] = sigmoid(forget[i]);
    candidate[i] = tangent(candidate[i]);
    out[i] = sigmoid(out[i]);
    cell[i] = forget[i] * before[i] + in[i] * candidate[i];
    hidden[i] = out[i] * tangent(cell[i]);
  }
}

template <class Scalar>
SEQ2SEQ_INLINE void lstm_backward_row(const Scalar* __restrict gates, const Scalar* __restrict before,
                                      const Scalar* __restrict cell, const Scalar* __restrict dhidden,
                                      const Scalar* __restrict dcell, Scalar* __restrict dgates,
                                      Scalar* __restrict dbefore, int64_t width) {
  for (int64_t i = 0; i < width; ++i) {
    const Scalar in = gates[i], forget = gates[width + i], candidate = gates[2 * width + i],
                 out = gates[3 * width + i];
    const Scalar squashed = tangent(cell[i]);
    const Scalar dc = dcell[i] + dhidden[i] * out * (1 - squashed * squashed);
    dgates[i] = dc * candidate * in * (1 - in);
    dgates[width + i] = dc * before[i] * forget * (1 - forget);
    dgates[2 * width + i] = dc * in * (1 - candidate * candidate);
    dgates[3 * width + i] = dhidden[i] * squashed * out * (1 - out);
    dbefore[i] = dc * forget;
  }
}

template <class Scalar>
SEQ2SEQ_INLINE void forward_rows(const LstmForward<Scalar>& t, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    const int64_t at = r * t.width;
    lstm_forward_row(t.gates + 4 * at, t.cell_before + at, t.hidden + at, t.cell + at, t.width);
  }
}

template <class Scalar>
SEQ2SEQ_INLINE void backward_rows(const LstmBackward<Scalar>& t, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    const int64_t at = r * t.width;
    lstm_backward_row(t.activated + 4 * at, t.cell_before + at, t.cell + at, t.hidden_gradient + at,
                      t.cell_gradient + at, t.gate_gradient + 4 * at, t.cell_before_gradient + at, t.width);
  }
}

}  // namespace

void lstm_forward(const LstmForward<float>& terms, int64_t begin, int64_t end) {
  forward_rows(terms, begin, end);
}
void lstm_backward(const LstmBackward<float>& terms, int64_t begin, int64_t end) {
  backward_rows(terms, begin, end);
}
void lstm_forward(const LstmForward<double>& terms, int64_t begin, int64_t end) {
  forward_rows(terms, begin, end);
}
void lstm_backward(const LstmBackward<double>& terms, int64_t begin, int64_t end) {
  backward_rows(terms, begin, end);
}

}  // namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET
