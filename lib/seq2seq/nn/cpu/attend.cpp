#include "seq2seq/nn/cpu/loop_math.h"
#include "seq2seq/nn/cpu/loops.h"

namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET {
namespace {

/// Transposes rows [length, width] into columns [width, padded length], zero beyond the end, so that products
/// with all rows are loops over columns.
template <class Scalar>
SEQ2SEQ_INLINE void turn(const Scalar* rows, int64_t stride, int64_t length, int64_t width,
                         Scalar* __restrict columns) {
  const int64_t full = padded(length);
  for (int64_t i = 0; i < width; ++i)
    for (int64_t s = length; s < full; ++s) columns[i * full + s] = 0;
  for (int64_t s = 0; s < length; ++s)
    for (int64_t i = 0; i < width; ++i) columns[i * full + s] = rows[s * stride + i];
}

/// products[s] = factor (x . row s), from transposed rows.
template <class Scalar>
SEQ2SEQ_INLINE void products_of(const Scalar* __restrict x, const Scalar* __restrict columns, int64_t full,
                                int64_t width, Scalar factor, Scalar* __restrict products) {
  for (int64_t first = 0; first < full; first += lanes) {
    Lanes<Scalar> sum = {};
    for (int64_t i = 0; i < width; ++i) sum.add(x[i], columns + i * full + first);
    sum.write(factor, products + first);
  }
}

/// Softmax of the scores that `seen` does not leave out; null = none. Where it does, weights are 0.
template <class Scalar>
SEQ2SEQ_INLINE void softmax_of_seen(Scalar* __restrict scores, const bool* __restrict seen, int64_t count) {
  if (seen == nullptr) return softmax(scores, count);
  for (int64_t s = 0; s < count; ++s)
    if (!seen[s]) scores[s] = -infinity<Scalar>;
  Scalar peak = -infinity<Scalar>;
  for (int64_t s = 0; s < count; ++s) peak = scores[s] > peak ? scores[s] : peak;
  for (int64_t s = 0; s < count; ++s) scores[s] = seen[s] ? exponential(scores[s] - peak) : Scalar(0);
  const Scalar sum = lane_sum<Scalar>(count, [=](int64_t s) { return scores[s]; });
  for (int64_t s = 0; s < count; ++s) scores[s] /= sum;
}

/// sum += factor row
template <class Scalar>
SEQ2SEQ_INLINE void add_row(Scalar* __restrict sum, Scalar factor, const Scalar* __restrict row,
                            int64_t width) {
  for (int64_t i = 0; i < width; ++i) sum[i] += factor * row[i];
}

template <class Scalar>
SEQ2SEQ_INLINE const Scalar* at_head(const Scalar* data, const HeadStrides& strides, int64_t b, int64_t h) {
  return data + b * strides.sentence + h * strides.head;
}

/// One head of one sentence; `columns` [width, padded length] and `scores` [padded length] are scratch. Null weights
/// are not stored.
template <class Scalar>
SEQ2SEQ_INLINE void attend_head(const HeadTerms<Scalar>& t, int64_t b, int64_t h, Scalar* columns,
                                Scalar* scores, Scalar* weights, Scalar* context) {
  const Scalar* queries = at_head(t.queries, t.query_strides, b, h);
  const Scalar* keys = at_head(t.keys, t.key_strides, b, h);
  const Scalar* values = at_head(t.values, t.value_strides, b, h);
  const bool* seen = t.mask == nullptr ? nullptr : t.mask + b * t.length;
  const int64_t full = padded(t.length);
  // Also for a single query, so that each sum has one order.
  turn(keys, t.key_strides.position, t.length, t.width, columns);
  for (int64_t q = 0; q < t.query_count; ++q) {
    const Scalar* query = queries + q * t.query_strides.position;
    const int64_t visible = t.causal ? q + 1 : t.length;
    products_of(query, columns, full, t.width, t.scale, scores);
    softmax_of_seen(scores, seen, visible);
    const int64_t row = (b * t.heads + h) * t.query_count + q;
    Scalar* out = context + ((b * t.query_count + q) * t.heads + h) * t.width;
    for (int64_t i = 0; i < t.width; ++i) out[i] = 0;
    for (int64_t s = 0; s < t.length; ++s) {
      const Scalar weight = s < visible ? scores[s] : Scalar(0);
      if (weights != nullptr) weights[row * t.length + s] = weight;
      const Scalar kept = t.dropout == nullptr ? weight : weight * t.dropout[row * t.length + s];
      if (s < visible) add_row(out, kept, values + s * t.value_strides.position, t.width);
    }
  }
}

template <class Scalar>
SEQ2SEQ_INLINE void attend_backward_head(const HeadTerms<Scalar>& t, int64_t b, int64_t h,
                                         const Scalar* weights, const Scalar* dcontext,
                                         const HeadGradients<Scalar>& gradients, Scalar* columns,
                                         Scalar* dweights) {
  const Scalar* queries = at_head(t.queries, t.query_strides, b, h);
  const Scalar* keys = at_head(t.keys, t.key_strides, b, h);
  const int64_t full = padded(t.length), step = t.heads * t.width;
  turn(at_head(t.values, t.value_strides, b, h), t.value_strides.position, t.length, t.width, columns);
  Scalar* dkeys = gradients.keys + (b * t.length * t.heads + h) * t.width;
  Scalar* dvalues = gradients.values + (b * t.length * t.heads + h) * t.width;
  for (int64_t s = 0; s < t.length; ++s)
    for (int64_t i = 0; i < t.width; ++i) dkeys[s * step + i] = dvalues[s * step + i] = 0;
  for (int64_t q = 0; q < t.query_count; ++q) {
    const int64_t row = (b * t.heads + h) * t.query_count + q;
    const int64_t visible = t.causal ? q + 1 : t.length;
    const Scalar *w = weights + row * t.length, *query = queries + q * t.query_strides.position;
    const Scalar* dropped = t.dropout == nullptr ? nullptr : t.dropout + row * t.length;
    const Scalar* dout = dcontext + (b * t.query_count + q) * step + h * t.width;
    Scalar* dquery = gradients.queries + (b * t.query_count + q) * step + h * t.width;
    products_of(dout, columns, full, t.width, Scalar(1), dweights);
    if (dropped != nullptr)
      for (int64_t s = 0; s < visible; ++s) dweights[s] *= dropped[s];
    const Scalar total = lane_sum<Scalar>(visible, [=](int64_t s) { return w[s] * dweights[s]; });
    for (int64_t i = 0; i < t.width; ++i) dquery[i] = 0;
    for (int64_t s = 0; s < visible; ++s) {
      const Scalar dscore = t.scale * w[s] * (dweights[s] - total);
      add_row(dquery, dscore, keys + s * t.key_strides.position, t.width);
      add_row(dkeys + s * step, dscore, query, t.width);
      add_row(dvalues + s * step, dropped == nullptr ? w[s] : w[s] * dropped[s], dout, t.width);
    }
  }
}

template <class Scalar>
SEQ2SEQ_INLINE void heads(const HeadTerms<Scalar>& terms, Scalar* columns, Scalar* scores, Scalar* weights,
                          Scalar* context, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i)
    attend_head(terms, i / terms.heads, i % terms.heads, columns, scores, weights, context);
}

template <class Scalar>
SEQ2SEQ_INLINE void backward_heads(const HeadTerms<Scalar>& terms, const Scalar* weights,
                                   const Scalar* dcontext, const HeadGradients<Scalar>& gradients,
                                   Scalar* columns, Scalar* dweights, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i)
    attend_backward_head(terms, i / terms.heads, i % terms.heads, weights, dcontext, gradients, columns,
                         dweights);
}

}  // namespace

void attend(const HeadTerms<float>& terms, float* columns, float* scores, float* weights, float* context,
            int64_t begin, int64_t end) {
  heads(terms, columns, scores, weights, context, begin, end);
}
void attend_backward(const HeadTerms<float>& terms, const float* weights, const float* context_gradient,
                     const HeadGradients<float>& gradients, float* columns, float* weight_gradient,
                     int64_t begin, int64_t end) {
  backward_heads(terms, weights, context_gradient, gradients, columns, weight_gradient, begin, end);
}
void attend(const HeadTerms<double>& terms, double* columns, double* scores, double* weights, double* context,
            int64_t begin, int64_t end) {
  heads(terms, columns, scores, weights, context, begin, end);
}
void attend_backward(const HeadTerms<double>& terms, const double* weights, const double* context_gradient,
                     const HeadGradients<double>& gradients, double* columns, double* weight_gradient,
                     int64_t begin, int64_t end) {
  backward_heads(terms, weights, context_gradient, gradients, columns, weight_gradient, begin, end);
}

}  // namespace seq2seq::kernels::SEQ2SEQ_INSTRUCTION_SET
