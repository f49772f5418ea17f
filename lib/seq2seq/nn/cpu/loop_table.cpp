#include "seq2seq/nn/cpu/loops.h"

namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET {

#define SEQ2SEQ_TABLE(Scalar)                                                \
  Loops<Scalar>::LstmForwardLoop lstm_forward;                               \
  Loops<Scalar>::LstmBackwardLoop lstm_backward;                             \
  Loops<Scalar>::GruForwardLoop gru_forward;                                 \
  Loops<Scalar>::GruBackwardLoop gru_backward;                               \
  Loops<Scalar>::AdditiveScoresLoop additive_scores;                         \
  Loops<Scalar>::AdditiveBackwardLoop additive_backward;                     \
  Loops<Scalar>::CrossEntropyLoop cross_entropy;                             \
  Loops<Scalar>::TopKLoop top_k;                                             \
  Loops<Scalar>::AttendLoop attend;                                          \
  Loops<Scalar>::AttendBackwardLoop attend_backward;                         \
  Loops<Scalar>::DropoutLoop dropout;                                        \
  extern const Loops<Scalar> Scalar##_loops;                                 \
  const Loops<Scalar> Scalar##_loops{.lstm_forward = lstm_forward,           \
                                     .lstm_backward = lstm_backward,         \
                                     .gru_forward = gru_forward,             \
                                     .gru_backward = gru_backward,           \
                                     .additive_scores = additive_scores,     \
                                     .additive_backward = additive_backward, \
                                     .cross_entropy = cross_entropy,         \
                                     .top_k = top_k,                         \
                                     .attend = attend,                       \
                                     .attend_backward = attend_backward,     \
                                     .dropout = dropout};
SEQ2SEQ_TABLE(float)
SEQ2SEQ_TABLE(double)
#undef SEQ2SEQ_TABLE

}  // namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET
