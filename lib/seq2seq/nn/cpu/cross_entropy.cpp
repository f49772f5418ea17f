#include "seq2seq/nn/cpu/loop_math.h"
#include "seq2seq/nn/cpu/loops.h"

namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET {
namespace {

template <class Scalar>
SEQ2SEQ_INLINE void cross_entropy_row(Scalar* __restrict logits, int64_t target,
                                      const Mixture<Scalar>& mixture, int64_t row, Scalar smoothing,
                                      bool gradient, Scalar* loss, Scalar* nll, int64_t size) {
  Scalar peak = logits[0];
  for (int64_t i = 1; i < size; ++i) peak = larger(peak, logits[i]);
  const bool in_vocabulary = target < size;
  const Scalar target_logit = in_vocabulary ? logits[target] - peak : Scalar(0);
  const Scalar mean =
      lane_sum<Scalar>(size, [=](int64_t i) { return logits[i] - peak; }) / static_cast<Scalar>(size);
  if (gradient)
    for (int64_t i = 0; i < size; ++i) logits[i] = exponential(logits[i] - peak);
  const Scalar sum = gradient
                         ? lane_sum<Scalar>(size, [=](int64_t i) { return logits[i]; })
                         : lane_sum<Scalar>(size, [=](int64_t i) { return exponential(logits[i] - peak); });
  const Scalar log_sum = logarithm(sum);
  Scalar from_vocabulary = 1;  // share of the target's probability that is generated
  if (mixture.generated == nullptr) {
    *nll = log_sum - target_logit;
  } else {
    const Scalar likely = in_vocabulary ? exact_exponential(target_logit - log_sum) : Scalar(0);
    const Scalar all = mixture.generated[row] * likely + mixture.copied[row];
    const Scalar mixed = larger(all, mixture.least_probability);
    *nll = -logarithm(mixed);
    const bool constant = all < mixture.least_probability;  // clamped: no gradient
    from_vocabulary = constant ? Scalar(0) : mixture.generated[row] * likely / mixed;
    if (gradient) {
      mixture.generated_gradient[row] = constant ? Scalar(0) : (smoothing - 1) * likely / mixed;
      mixture.copied_gradient[row] = constant ? Scalar(0) : (smoothing - 1) / mixed;
    }
  }
  *loss = (1 - smoothing) * *nll + smoothing * (log_sum - mean);
  if (!gradient) return;
  const Scalar pull = (1 - smoothing) * from_vocabulary, scale = (pull + smoothing) / sum,
               floor = smoothing / static_cast<Scalar>(size);
  for (int64_t i = 0; i < size; ++i) logits[i] = logits[i] * scale - floor;
  if (in_vocabulary) logits[target] -= pull;
}

template <class Scalar>
SEQ2SEQ_INLINE void rows_of(const CrossEntropy<Scalar>& t, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r)
    cross_entropy_row(t.logits + r * t.vocabulary, t.targets[r], t.mixture, r, t.smoothing, t.gradient,
                      t.loss + r, t.nll + r, t.vocabulary);
}

}  // namespace

void cross_entropy(const CrossEntropy<float>& terms, int64_t begin, int64_t end) {
  rows_of(terms, begin, end);
}
void cross_entropy(const CrossEntropy<double>& terms, int64_t begin, int64_t end) {
  rows_of(terms, begin, end);
}

}  // namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET
