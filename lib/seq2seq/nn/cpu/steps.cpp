#include "seq2seq/nn/cpu/loop_math.h"
#include "seq2seq/nn/cpu/loops.h"

namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET {
namespace {

/// The error function by formula 7.1.26 of Abramowitz and Stegun, within 1.5e-7.
SEQ2SEQ_INLINE float error_function(float x) {
  const float size = x < 0 ? -x : x, t = 1 / (1 + 0.3275911F * size);
  float p = 1.061405429F;
  p = p * t - 1.453152027F;
  p = p * t + 1.421413741F;
  p = p * t - 0.284496736F;
  p = p * t + 0.254829592F;
  const float value = 1 - p * t * exponential(-size * size);
  return x < 0 ? -value : value;
}

template <class Function>
SEQ2SEQ_INLINE void for_each(const Matrix& x, int64_t begin, int64_t end, Function function) {
  for (int64_t r = begin; r < end; ++r) {
    float* row = x.data + r * x.stride;
    for (int64_t i = 0; i < x.width; ++i) row[i] = function(row[i]);
  }
}

SEQ2SEQ_INLINE void normalize_row(const float* x, const float* gain, const float* bias, float* y,
                                  int64_t width) {
  const float mean = lane_sum<float>(width, [=](int64_t i) { return x[i]; }) / static_cast<float>(width);
  const float squares = lane_sum<float>(width, [=](int64_t i) { return (x[i] - mean) * (x[i] - mean); });
  const float factor = 1 / ::sqrtf(squares / static_cast<float>(width) + 1e-5F);
  for (int64_t i = 0; i < width; ++i) y[i] = (x[i] - mean) * factor * gain[i] + bias[i];
}

/// sum = the rows weighted by `weights`, one after the other; `row(s)` is where row s begins.
template <class Row>
SEQ2SEQ_INLINE void weighted_sum(const float* __restrict weights, int64_t count, int64_t width, Row row,
                                 float* __restrict sum) {
  int64_t first = 0;
  for (; first + 4 * lanes <= width; first += 4 * lanes) {  // sums that stay in registers
    Lanes<float> part[4] = {};
    for (int64_t s = 0; s < count; ++s)
      for (int64_t p = 0; p < 4; ++p) part[p].add(weights[s], row(s) + first + p * lanes);
    for (int64_t p = 0; p < 4; ++p) part[p].write(1, sum + first + p * lanes);
  }
  for (; first + lanes <= width; first += lanes) {
    Lanes<float> part = {};
    for (int64_t s = 0; s < count; ++s) part.add(weights[s], row(s) + first);
    part.write(1, sum + first);
  }
  for (int64_t i = first; i < width; ++i) sum[i] = 0;
  for (int64_t s = 0; s < count; ++s) {
    const float* from = row(s);
    for (int64_t i = first; i < width; ++i) sum[i] += weights[s] * from[i];
  }
}

template <bool additive, bool covered>
SEQ2SEQ_INLINE void attend_row(const RowAttention& t, int64_t row) {
  const int64_t sentence = t.sentences[row], count = t.lengths[sentence];
  const float* __restrict query = t.query + row * t.key_width;
  const float* keys = t.keys + sentence * t.length * t.key_width;
  const float* states = t.states + sentence * t.length * t.state_width;
  const float* __restrict v = t.v, * __restrict u = t.u;
  float* weights = t.weights + row * t.length;
  float shift = 0;  // (key + c u) . query = key . query + c (u . query)
  if (covered && !additive) shift = lane_sum<float>(t.key_width, [=](int64_t i) { return u[i] * query[i]; });
  for (int64_t s = 0; s < count; ++s) {
    const float* __restrict key = keys + s * t.key_width;
    const float so_far = covered ? t.covered[row * t.length + s] : 0;
    if (additive)
      weights[s] = lane_sum<float>(t.key_width, [=](int64_t i) {
        return v[i] * tangent(covered ? key[i] + query[i] + so_far * u[i] : key[i] + query[i]);
      });
    else
      weights[s] =
          lane_sum<float>(t.key_width, [=](int64_t i) { return key[i] * query[i]; }) + so_far * shift;
  }
  softmax(weights, count);
  for (int64_t s = count; s < t.length; ++s) weights[s] = 0;
  weighted_sum(
      weights, count, t.state_width, [=](int64_t s) { return states + s * t.state_width; },
      t.context + row * t.context_stride);
}

template <bool additive, bool covered>
SEQ2SEQ_INLINE void attend_rows(const RowAttention& t, int64_t begin, int64_t end) {
  for (int64_t row = begin; row < end; ++row) attend_row<additive, covered>(t, row);
}

SEQ2SEQ_INLINE void attend_source_head(const SourceAttention& t, int64_t row, int64_t head, float* scores) {
  const int64_t sentence = t.sentences[row], count = t.lengths[sentence], full = padded(t.length),
                all = t.heads * t.width;
  const float* query = t.queries + row * all + head * t.width;
  const float* columns = t.keys + (sentence * t.heads + head) * t.width * full;
  for (int64_t first = 0; first < count; first += lanes) {
    Lanes<float> sum = {};
    for (int64_t i = 0; i < t.width; ++i) sum.add(query[i], columns + i * full + first);
    sum.write(t.scale, scores + first);
  }
  softmax(scores, count);
  const float* values = t.values + sentence * t.length * t.value_stride + head * t.width;
  weighted_sum(
      scores, count, t.width, [=](int64_t s) { return values + s * t.value_stride; },
      t.context + row * all + head * t.width);
  if (t.weights == nullptr || head > 0) return;
  for (int64_t s = 0; s < t.length; ++s) t.weights[row * t.length + s] = s < count ? scores[s] : 0;
}

SEQ2SEQ_INLINE void attend_past_head(const PastAttention& t, int64_t row, int64_t head, float* scores) {
  const int64_t all = t.heads * t.width;
  const float* __restrict query = t.queries + row * t.query_stride + head * t.width;
  const int32_t* ancestors = t.ancestors + row * t.ancestor_stride;
  const auto key_of = [=](int64_t s) { return t.past[s] + 2 * all * ancestors[s] + head * t.width; };
  for (int64_t s = 0; s < t.positions; ++s) {
    const float* __restrict key = key_of(s);
    scores[s] = t.scale * lane_sum<float>(t.width, [=](int64_t i) { return query[i] * key[i]; });
  }
  softmax(scores, t.positions);
  weighted_sum(
      scores, t.positions, t.width, [=](int64_t s) { return key_of(s) + all; },
      t.context + row * all + head * t.width);
}

}  // namespace

void product(const PackedProduct& terms, int64_t begin, int64_t end);
void mean(DistributionMean kind, const MeanRows& terms, int64_t begin, int64_t end);

void nonlinear(Nonlinearity function, const Matrix& x, int64_t begin, int64_t end) {
  switch (function) {
    case Nonlinearity::relu:
      return for_each(x, begin, end, [](float y) { return y > 0 ? y : 0; });
    case Nonlinearity::gelu:
      return for_each(x, begin, end,
                      [](float y) { return 0.5F * y * (1 + error_function(y * 0.70710678F)); });
    case Nonlinearity::tanh:
      return for_each(x, begin, end, [](float y) { return tangent(y); });
    case Nonlinearity::sigmoid:
      return for_each(x, begin, end, [](float y) { return sigmoid(y); });
  }
}

void normalize(const Normalization& t, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r)
    normalize_row(t.x.data + r * t.x.stride, t.gain, t.bias, t.y.data + r * t.y.stride, t.x.width);
}

void attend_to_rows(const RowAttention& terms, int64_t begin, int64_t end) {
  if (terms.v != nullptr)
    terms.covered != nullptr ? attend_rows<true, true>(terms, begin, end)
                             : attend_rows<true, false>(terms, begin, end);
  else
    terms.covered != nullptr ? attend_rows<false, true>(terms, begin, end)
                             : attend_rows<false, false>(terms, begin, end);
}

void attend_to_source(const SourceAttention& terms, float* scores, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) attend_source_head(terms, i / terms.heads, i % terms.heads, scores);
}

void attend_to_past(const PastAttention& terms, float* scores, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) attend_past_head(terms, i / terms.heads, i % terms.heads, scores);
}

extern const StepLoops step_loops;
const StepLoops step_loops{.product = product,
                           .nonlinear = nonlinear,
                           .normalize = normalize,
                           .attend_to_rows = attend_to_rows,
                           .attend_to_source = attend_to_source,
                           .attend_to_past = attend_to_past,
                           .mean = mean};

}  // namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET
