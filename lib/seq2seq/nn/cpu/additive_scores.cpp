#include "seq2seq/nn/cpu/loop_math.h"
#include "seq2seq/nn/cpu/loops.h"

namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET {
namespace {

template <bool covered, class Scalar>
SEQ2SEQ_INLINE void additive_scores_sentence(const AdditiveTerms<Scalar>& t, int64_t b, Scalar* scores) {
  for (int64_t s = 0; s < t.length; ++s)
    for (int64_t k = 0; k < t.hypotheses; ++k) {
      const int64_t row = b * t.hypotheses + k, place = row * t.length + s;
      const Scalar* __restrict key = t.keys + (b * t.length + s) * t.width;
      const Scalar* __restrict query = t.query + row * t.width;
      const Scalar* __restrict v = t.v;
      const Scalar* __restrict weight = t.coverage_weight;
      const Scalar so_far = covered ? t.coverage[place] : Scalar(0);
      scores[place] = !t.mask[b * t.length + s] ? Scalar(0) : lane_sum<Scalar>(t.width, [=](int64_t i) {
        return v[i] * tangent(covered ? key[i] + query[i] + so_far * weight[i] : key[i] + query[i]);
      });
    }
}

// One pair of state and hypothesis. `shares` [width] receives the gradient of the argument of tanh.
template <bool covered, class Scalar>
SEQ2SEQ_INLINE void additive_backward_pair(const Scalar* __restrict key, const Scalar* __restrict query,
                                           const Scalar* __restrict v, const Scalar* __restrict weight,
                                           Scalar so_far, Scalar dscore, Scalar* __restrict dkey,
                                           Scalar* __restrict dquery, Scalar* __restrict dv,
                                           Scalar* __restrict dweight, Scalar* __restrict shares,
                                           int64_t width) {
  for (int64_t i = 0; i < width; ++i) {
    const Scalar x = tangent(covered ? key[i] + query[i] + so_far * weight[i] : key[i] + query[i]);
    const Scalar share = dscore * v[i] * (1 - x * x);
    dkey[i] += share;
    dquery[i] += share;
    dv[i] += dscore * x;
    if (covered) {
      dweight[i] += share * so_far;
      shares[i] = share;
    }
  }
}

template <bool covered, class Scalar>
SEQ2SEQ_INLINE void additive_backward_sentence(const AdditiveTerms<Scalar>& t, int64_t b,
                                               const Scalar* dscores, const AdditiveGradients<Scalar>& out,
                                               Scalar* shares) {
  for (int64_t s = 0; s < t.length; ++s)
    for (int64_t k = 0; k < t.hypotheses; ++k) {
      const int64_t state = b * t.length + s, row = b * t.hypotheses + k, place = row * t.length + s;
      if (covered) out.coverage[place] = 0;
      if (!t.mask[state]) continue;
      additive_backward_pair<covered>(
          t.keys + state * t.width, t.query + row * t.width, t.v, t.coverage_weight,
          covered ? t.coverage[place] : Scalar(0), dscores[place], out.keys + state * t.width,
          out.query + row * t.width, out.v_rows + b * t.width,
          covered ? out.coverage_weight_rows + b * t.width : nullptr, shares, t.width);
      if (covered)
        out.coverage[place] =
            lane_sum<Scalar>(t.width, [=](int64_t i) { return shares[i] * t.coverage_weight[i]; });
    }
}

template <class Scalar>
SEQ2SEQ_INLINE void scores_of(const AdditiveTerms<Scalar>& terms, Scalar* scores, int64_t begin,
                              int64_t end) {
  for (int64_t b = begin; b < end; ++b)
    if (terms.coverage == nullptr)
      additive_scores_sentence<false>(terms, b, scores);
    else
      additive_scores_sentence<true>(terms, b, scores);
}

template <class Scalar>
SEQ2SEQ_INLINE void backward_of(const AdditiveTerms<Scalar>& terms, const Scalar* dscores,
                                const AdditiveGradients<Scalar>& gradients, Scalar* shares, int64_t begin,
                                int64_t end) {
  for (int64_t b = begin; b < end; ++b)
    if (terms.coverage == nullptr)
      additive_backward_sentence<false>(terms, b, dscores, gradients, shares);
    else
      additive_backward_sentence<true>(terms, b, dscores, gradients, shares);
}

}  // namespace

void additive_scores(const AdditiveTerms<float>& terms, float* scores, int64_t begin, int64_t end) {
  scores_of(terms, scores, begin, end);
}
void additive_backward(const AdditiveTerms<float>& terms, const float* score_gradient,
                       const AdditiveGradients<float>& gradients, float* shares, int64_t begin, int64_t end) {
  backward_of(terms, score_gradient, gradients, shares, begin, end);
}
void additive_scores(const AdditiveTerms<double>& terms, double* scores, int64_t begin, int64_t end) {
  scores_of(terms, scores, begin, end);
}
void additive_backward(const AdditiveTerms<double>& terms, const double* score_gradient,
                       const AdditiveGradients<double>& gradients, double* shares, int64_t begin,
                       int64_t end) {
  backward_of(terms, score_gradient, gradients, shares, begin, end);
}

}  // namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET
