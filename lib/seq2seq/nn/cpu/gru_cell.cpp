#include "seq2seq/nn/cpu/loop_math.h"
#include "seq2seq/nn/cpu/loops.h"

namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET {
namespace {

template <class Scalar>
SEQ2SEQ_INLINE void gru_forward_row(const Scalar* __restrict input, const Scalar* __restrict recurrent,
                                    const Scalar* __restrict before, Scalar* __restrict gates,
                                    Scalar* __restrict hidden, int64_t width) {
  for (int64_t i = 0; i < width; ++i) {
    const Scalar reset = sigmoid(input[i] + recurrent[i]);
    const Scalar update = sigmoid(input[width + i] + recurrent[width + i]);
    const Scalar candidate = tangent(input[2 * width + i] + reset * recurrent[2 * width + i]);
    gates[i] = reset;
    gates[width + i] = update;
    gates[2 * width + i] = candidate;
    hidden[i] = candidate + update * (before[i] - candidate);
  }
}

template <class Scalar>
SEQ2SEQ_INLINE void gru_backward_row(const Scalar* __restrict gates, const Scalar* __restrict recurrent,
                                     const Scalar* __restrict before, const Scalar* __restrict dhidden,
                                     Scalar* __restrict dinput, Scalar* __restrict drecurrent,
                                     Scalar* __restrict dbefore, int64_t width) {
  for (int64_t i = 0; i < width; ++i) {
    const Scalar reset = gates[i], update = gates[width + i], candidate = gates[2 * width + i];
    const Scalar dcandidate = dhidden[i] * (1 - update) * (1 - candidate * candidate);
    const Scalar dupdate = dhidden[i] * (before[i] - candidate) * update * (1 - update);
    const Scalar dreset = dcandidate * recurrent[2 * width + i] * reset * (1 - reset);
    dinput[i] = drecurrent[i] = dreset;
    dinput[width + i] = drecurrent[width + i] = dupdate;
    dinput[2 * width + i] = dcandidate;
    drecurrent[2 * width + i] = dcandidate * reset;
    dbefore[i] = dhidden[i] * update;
  }
}

template <class Scalar>
SEQ2SEQ_INLINE void gru_forward_rows(const GruForward<Scalar>& t, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    const int64_t at = r * t.width;
    gru_forward_row(t.input_gates + 3 * at, t.recurrent_gates + 3 * at, t.hidden_before + at,
                    t.gates + 3 * at, t.hidden + at, t.width);
  }
}

template <class Scalar>
SEQ2SEQ_INLINE void gru_backward_rows(const GruBackward<Scalar>& t, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    const int64_t at = r * t.width;
    gru_backward_row(t.gates + 3 * at, t.recurrent_gates + 3 * at, t.hidden_before + at,
                     t.hidden_gradient + at, t.input_gradient + 3 * at, t.recurrent_gradient + 3 * at,
                     t.hidden_before_gradient + at, t.width);
  }
}

}  // namespace

void gru_forward(const GruForward<float>& terms, int64_t begin, int64_t end) {
  gru_forward_rows(terms, begin, end);
}
void gru_backward(const GruBackward<float>& terms, int64_t begin, int64_t end) {
  gru_backward_rows(terms, begin, end);
}
void gru_forward(const GruForward<double>& terms, int64_t begin, int64_t end) {
  gru_forward_rows(terms, begin, end);
}
void gru_backward(const GruBackward<double>& terms, int64_t begin, int64_t end) {
  gru_backward_rows(terms, begin, end);
}

}  // namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET
