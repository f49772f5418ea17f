#include "seq2seq/nn/cpu/loops.h"

namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET {

#define SEQ2SEQ_TABLE(Scalar)                                                                                \
  void lstm_forward(const LstmForward<Scalar>&, int64_t, int64_t);                                           \
  void lstm_backward(const LstmBackward<Scalar>&, int64_t, int64_t);                                         \
  void additive_scores(const AdditiveTerms<Scalar>&, Scalar*, int64_t, int64_t);                             \
  void additive_backward(const AdditiveTerms<Scalar>&, const Scalar*, const AdditiveGradients<Scalar>&,      \
                         Scalar*, int64_t, int64_t);                                                         \
  void cross_entropy(const CrossEntropy<Scalar>&, int64_t, int64_t);                                         \
  void top_k(const TopKTerms<Scalar>&, Scalar*, Scalar*, int64_t, int64_t);                                  \
  void attend(const HeadTerms<Scalar>&, Scalar*, Scalar*, Scalar*, Scalar*, int64_t, int64_t);               \
  void attend_backward(const HeadTerms<Scalar>&, const Scalar*, const Scalar*, const HeadGradients<Scalar>&, \
                       Scalar*, Scalar*, int64_t, int64_t);                                                  \
  void dropout(const DropoutTerms<Scalar>&, int64_t, int64_t);                                               \
  extern const Loops<Scalar> Scalar##_loops;                                                                 \
  const Loops<Scalar> Scalar##_loops{.lstm_forward = lstm_forward,                                           \
                                     .lstm_backward = lstm_backward,                                         \
                                     .additive_scores = additive_scores,                                     \
                                     .additive_backward = additive_backward,                                 \
                                     .cross_entropy = cross_entropy,                                         \
                                     .top_k = top_k,                                                         \
                                     .attend = attend,                                                       \
                                     .attend_backward = attend_backward,                                     \
                                     .dropout = dropout};
SEQ2SEQ_TABLE(float)
SEQ2SEQ_TABLE(double)
#undef SEQ2SEQ_TABLE

}  // namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET
