#pragma once

// Label-smoothed cross entropy: one row of logits a block, read three times and written once.

#include "seq2seq/nn/cuda/group.h"

namespace seq2seq::cuda {

template <class Scalar>
struct CrossEntropyRow {
  kernels::CrossEntropy<Scalar> t;

  template <class Group>
  SEQ2SEQ_DEVICE void operator()(const Group& group, int64_t row) const {
    Scalar* logits = t.logits + row * t.vocabulary;
    const int64_t target = t.targets[row];
    const bool in_vocabulary = target < t.vocabulary;
    const Scalar size = static_cast<Scalar>(t.vocabulary);

    Scalar peak = -infinity<Scalar>();
    for (int64_t i = group.rank(); i < t.vocabulary; i += group.size()) peak = larger(peak, logits[i]);
    peak = group.maximum(peak);
    const Scalar target_logit = in_vocabulary ? logits[target] - peak : Scalar(0);
    Scalar sum = 0, lowered = 0;  // of exponentials, of logits
    for (int64_t i = group.rank(); i < t.vocabulary; i += group.size()) {
      const Scalar logit = logits[i] - peak;
      sum += exponential(logit);
      lowered += logit;
    }
    sum = group.sum(sum);
    lowered = group.sum(lowered);

    const Scalar log_sum = logarithm(sum);
    const Likelihood likelihood = of_target(row, in_vocabulary, target_logit, log_sum);
    if (group.rank() == 0) write(row, likelihood, log_sum - lowered / size);
    if (!t.gradient) return;
    const Scalar pull = (1 - t.smoothing) * likelihood.from_vocabulary, scale = (pull + t.smoothing) / sum,
                 floor = t.smoothing / size;
    for (int64_t i = group.rank(); i < t.vocabulary; i += group.size()) {
      const Scalar gradient = exponential(logits[i] - peak) * scale - floor;
      logits[i] = i == target ? gradient - pull : gradient;
    }
  }

 private:
  struct Likelihood {
    Scalar nll;
    Scalar from_vocabulary;  // share of the target's probability that is generated
    Scalar dgenerated, dcopied;
  };

  SEQ2SEQ_DEVICE Likelihood of_target(int64_t row, bool in_vocabulary, Scalar target_logit,
                                      Scalar log_sum) const {
    const kernels::Mixture<Scalar>& mixture = t.mixture;
    if (mixture.generated == nullptr) return {log_sum - target_logit, 1, 0, 0};
    const Scalar likely = in_vocabulary ? exponential(target_logit - log_sum) : Scalar(0);
    const Scalar all = mixture.generated[row] * likely + mixture.copied[row];
    const Scalar mixed = larger(all, mixture.least_probability), nll = -logarithm(mixed);
    if (all < mixture.least_probability) return {nll, 0, 0, 0};  // clamped: no gradient
    return {nll, mixture.generated[row] * likely / mixed, (t.smoothing - 1) * likely / mixed,
            (t.smoothing - 1) / mixed};
  }

  /// `uniform`: mean of -log softmax(logits).
  SEQ2SEQ_DEVICE void write(int64_t row, const Likelihood& likelihood, Scalar uniform) const {
    t.nll[row] = likelihood.nll;
    t.loss[row] = (1 - t.smoothing) * likelihood.nll + t.smoothing * uniform;
    if (!t.gradient || t.mixture.generated == nullptr) return;
    t.mixture.generated_gradient[row] = likelihood.dgenerated;
    t.mixture.copied_gradient[row] = likelihood.dcopied;
  }
};

}  // namespace seq2seq::cuda
