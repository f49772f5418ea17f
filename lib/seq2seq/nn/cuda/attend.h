#pragma once

// Attention of all heads: tiles of matrix products, a tile of queries or of positions a block, for any length. Rows of
// weights are their own scratch memory. No sum depends on the order in which threads run.

#include "seq2seq/nn/cuda/group.h"

namespace seq2seq::cuda {

constexpr int tile_width = 32;  ///< columns of a tile
constexpr int tile_depth = 32;  ///< terms of its sums for which operands are in shared memory at a time

/// Part of an operand of a product: element (o, k) for o < count along the product's side, k along its sums.
template <class Scalar>
struct Operand {
  const Scalar* data;
  int64_t outer, inner;  // strides
  int64_t count;
  const Scalar* factors = nullptr;  // of the elements, laid out like them; null = none

  SEQ2SEQ_DEVICE Scalar at(int64_t o, int64_t k) const {
    const int64_t place = o * outer + k * inner;
    return factors == nullptr ? data[place] : data[place] * factors[place];
  }
};

/// Shared memory that `store_products` needs.
template <int tile_height>
constexpr int64_t product_values() {
  return int64_t{tile_depth} * (tile_height + 1 + tile_width + 1);
}

/// Copies terms `begin` to `begin + depth` of the operand into rows [depth, extent + 1], zero beyond its count.
template <int extent, class Group, class Scalar>
SEQ2SEQ_DEVICE void fetch(const Group& group, const Operand<Scalar>& operand, int64_t begin, int64_t depth,
                          Scalar* rows) {
  const bool along_sums = operand.inner == 1;  // neighbouring threads read neighbouring elements
  for (int e = group.rank(); e < extent * tile_depth; e += group.size()) {
    const int o = along_sums ? e / tile_depth : e % extent, k = along_sums ? e % tile_depth : e / extent;
    rows[k * (extent + 1) + o] = o < operand.count && k < depth ? operand.at(o, begin + k) : Scalar(0);
  }
}

/// Calls store(row, column, sum over k < terms of left (row, k) right (column, k)) for all of a tile, each thread
/// for some of its elements. Ends with every thread done with shared memory, not with what is stored.
template <int tile_height, class Group, class Scalar, class Store>
SEQ2SEQ_DEVICE void store_products(const Group& group, const Operand<Scalar>& left,
                                   const Operand<Scalar>& right, int64_t terms, const Store& store) {
  constexpr int height = tile_height / Group::rows, width = tile_width / Group::columns;  // of a thread
  Scalar sums[height][width] = {};
  Scalar* lefts = group.template shared<Scalar>();
  Scalar* rights = lefts + tile_depth * (tile_height + 1);
  for (int64_t begin = 0; begin < terms; begin += tile_depth) {
    const int depth = static_cast<int>(smaller<int64_t>(tile_depth, terms - begin));
    fetch<tile_height>(group, left, begin, depth, lefts);
    fetch<tile_width>(group, right, begin, depth, rights);
    group.sync();
    for (int k = 0; k < depth; ++k) {
      const Scalar* a = lefts + k * (tile_height + 1) + group.row();
      const Scalar* b = rights + k * (tile_width + 1) + group.column();
      for (int i = 0; i < height; ++i)
        for (int j = 0; j < width; ++j) sums[i][j] += a[i * Group::rows] * b[j * Group::columns];
    }
    group.sync();
  }
  for (int i = 0; i < height; ++i)
    for (int j = 0; j < width; ++j) {
      const int row = i * Group::rows + group.row(), column = j * Group::columns + group.column();
      if (row < left.count && column < right.count) store(row, column, sums[i][j]);
    }
}

/// left [rows, terms] times right [terms, width], whose rows are `stride` apart, into rows `step` apart.
template <int tile_height, class Group, class Scalar>
SEQ2SEQ_DEVICE void store_rows(const Group& group, const Operand<Scalar>& left, const Scalar* right,
                               int64_t stride, int64_t terms, int64_t width, Scalar* rows, int64_t step) {
  for (int64_t first = 0; first < width; first += tile_width) {
    const Operand<Scalar> columns{right + first, 1, stride, smaller<int64_t>(tile_width, width - first)};
    store_products<tile_height>(group, left, columns, terms, [&](int row, int column, Scalar product) {
      rows[row * step + first + column] = product;
    });
  }
}

/// Softmax of `count` scores in place, and zeros up to `length`.
template <class Group, class Scalar>
SEQ2SEQ_DEVICE void softmax(const Group& group, Scalar* scores, int64_t count, int64_t length) {
  Scalar peak = -infinity<Scalar>();
  for (int64_t s = group.rank(); s < count; s += group.size()) peak = larger(peak, scores[s]);
  peak = group.maximum(peak);
  Scalar sum = 0;
  for (int64_t s = group.rank(); s < count; s += group.size()) {
    const Scalar part = exponential(scores[s] - peak);
    scores[s] = part;
    sum += part;
  }
  sum = group.sum(sum);
  for (int64_t s = group.rank(); s < length; s += group.size())
    scores[s] = s < count ? scores[s] / sum : Scalar(0);
}

/// Makes gradients of `count` scores, before scaling, of those of their weights, in place; zeros up to `length`.
template <class Group, class Scalar>
SEQ2SEQ_DEVICE void through_softmax(const Group& group, Scalar scale, const Scalar* row, Scalar* gradient,
                                    int64_t count, int64_t length) {
  Scalar total = 0;
  for (int64_t s = group.rank(); s < count; s += group.size()) total += row[s] * gradient[s];
  total = group.sum(total);
  for (int64_t s = group.rank(); s < length; s += group.size())
    gradient[s] = s < count ? scale * row[s] * (gradient[s] - total) : Scalar(0);
}

/// Part of one head of one sentence: queries (or positions) `first` to `first + count`.
struct HeadPart {
  int64_t sentence, head, first, count;
};
SEQ2SEQ_DEVICE inline HeadPart part_of(int64_t item, int64_t heads, int64_t size, int64_t length) {
  const int64_t tiles = tiles_of(length, size), part = item / tiles, first = item % tiles * size;
  return {part / heads, part % heads, first, smaller(size, length - first)};
}

/// What a head's attention reads, at the beginning of the head.
template <class Scalar>
struct Head {
  const Scalar *queries, *keys, *values;
  const bool* mask;
  const Scalar* factors;
  int64_t weights;  ///< where its weights [q, s] begin

  SEQ2SEQ_DEVICE Head(const kernels::HeadTerms<Scalar>& t, const HeadPart& part)
      : queries(at(t.queries, t.query_strides, part)),
        keys(at(t.keys, t.key_strides, part)),
        values(at(t.values, t.value_strides, part)),
        mask(t.mask == nullptr ? nullptr : t.mask + part.sentence * t.length),
        weights((part.sentence * t.heads + part.head) * t.query_count * t.length) {
    factors = t.dropout == nullptr ? nullptr : t.dropout + weights;
  }

 private:
  SEQ2SEQ_DEVICE static const Scalar* at(const Scalar* data, const kernels::HeadStrides& strides,
                                         const HeadPart& part) {
    return data + part.sentence * strides.sentence + part.head * strides.head;
  }
};

/// Where a head begins in an array [b, length, heads, width].
template <class Scalar>
SEQ2SEQ_DEVICE int64_t place_of_head(const kernels::HeadTerms<Scalar>& t, const HeadPart& part,
                                     int64_t length) {
  return (part.sentence * length * t.heads + part.head) * t.width;
}

/// Positions that some of the queries see.
template <class Scalar>
SEQ2SEQ_DEVICE int64_t visible_to(const kernels::HeadTerms<Scalar>& t, const HeadPart& queries) {
  return t.causal ? smaller(t.length, queries.first + queries.count) : t.length;
}

/// Weights and context of a tile of queries.
template <int tile_height, class Scalar>
struct AttendTile {
  kernels::HeadTerms<Scalar> t;
  Scalar *weights, *context;

  template <class Group>
  SEQ2SEQ_DEVICE void operator()(const Group& group, int64_t item) const {
    const HeadPart part = part_of(item, t.heads, tile_height, t.query_count);
    const Head<Scalar> head(t, part);
    const int64_t visible = visible_to(t, part);
    write_scores(group, part, head, visible);
    group.sync();
    Scalar* rows = weights + head.weights + part.first * t.length;
    for (int64_t q = group.part(); q < part.count; q += group.parts())
      softmax(group.team(), rows + q * t.length, visible, t.length);
    group.sync();
    write_context(group, part, head, visible);
  }

 private:
  template <class Group>
  SEQ2SEQ_DEVICE void write_scores(const Group& group, const HeadPart& part, const Head<Scalar>& head,
                                   int64_t visible) const {
    const Operand<Scalar> queries{head.queries + part.first * t.query_strides.position,
                                  t.query_strides.position, 1, part.count};
    for (int64_t first = 0; first < visible; first += tile_width) {
      const Operand<Scalar> keys{head.keys + first * t.key_strides.position, t.key_strides.position, 1,
                                 smaller<int64_t>(tile_width, visible - first)};
      store_products<tile_height>(group, queries, keys, t.width, [&](int row, int column, Scalar product) {
        const int64_t q = part.first + row, s = first + column;
        const bool seen = (head.mask == nullptr || head.mask[s]) && (!t.causal || s <= q);
        weights[head.weights + q * t.length + s] = seen ? t.scale * product : -infinity<Scalar>();
      });
    }
  }

  template <class Group>
  SEQ2SEQ_DEVICE void write_context(const Group& group, const HeadPart& part, const Head<Scalar>& head,
                                    int64_t visible) const {
    const int64_t begin = part.first * t.length, step = t.heads * t.width;
    const Operand<Scalar> kept{weights + head.weights + begin, t.length, 1, part.count,
                               head.factors == nullptr ? nullptr : head.factors + begin};
    Scalar* rows = context + place_of_head(t, part, t.query_count) + part.first * step;
    store_rows<tile_height>(group, kept, head.values, t.value_strides.position, visible, t.width, rows, step);
  }
};

/// Gradients of the scores, for `AttendBackwardPositions`, and of a tile of queries.
template <int tile_height, class Scalar>
struct AttendBackwardQueries {
  kernels::HeadTerms<Scalar> t;
  const Scalar *weights, *context_gradient;
  Scalar *score_gradient, *query_gradient;  // [b, h, q, s], [b, q, h, d]

  template <class Group>
  SEQ2SEQ_DEVICE void operator()(const Group& group, int64_t item) const {
    const HeadPart part = part_of(item, t.heads, tile_height, t.query_count);
    const Head<Scalar> head(t, part);
    const int64_t visible = visible_to(t, part), begin = head.weights + part.first * t.length;
    write_weight_gradient(group, part, head, visible);
    group.sync();
    for (int64_t q = group.part(); q < part.count; q += group.parts())
      through_softmax(group.team(), t.scale, weights + begin + q * t.length,
                      score_gradient + begin + q * t.length, visible, t.length);
    group.sync();
    write_query_gradient(group, part, head, visible);
  }

 private:
  template <class Group>
  SEQ2SEQ_DEVICE void write_weight_gradient(const Group& group, const HeadPart& part,
                                            const Head<Scalar>& head, int64_t visible) const {
    const int64_t step = t.heads * t.width;
    const Operand<Scalar> gradients{
        context_gradient + place_of_head(t, part, t.query_count) + part.first * step, step, 1, part.count};
    for (int64_t first = 0; first < visible; first += tile_width) {
      const Operand<Scalar> values{head.values + first * t.value_strides.position, t.value_strides.position,
                                   1, smaller<int64_t>(tile_width, visible - first)};
      store_products<tile_height>(group, gradients, values, t.width,
                                  [&](int row, int column, Scalar product) {
                                    const int64_t place = (part.first + row) * t.length + first + column;
                                    score_gradient[head.weights + place] =
                                        head.factors == nullptr ? product : product * head.factors[place];
                                  });
    }
  }

  template <class Group>
  SEQ2SEQ_DEVICE void write_query_gradient(const Group& group, const HeadPart& part, const Head<Scalar>& head,
                                           int64_t visible) const {
    const int64_t step = t.heads * t.width;
    const Operand<Scalar> scores{score_gradient + head.weights + part.first * t.length, t.length, 1,
                                 part.count};
    Scalar* rows = query_gradient + place_of_head(t, part, t.query_count) + part.first * step;
    store_rows<tile_height>(group, scores, head.keys, t.key_strides.position, visible, t.width, rows, step);
  }
};

/// Gradients of a tile of keys and of values, from those of the scores.
template <int tile_height, class Scalar>
struct AttendBackwardPositions {
  kernels::HeadTerms<Scalar> t;
  const Scalar *weights, *context_gradient, *score_gradient;
  Scalar *key_gradient, *value_gradient;  // [b, s, h, d]

  template <class Group>
  SEQ2SEQ_DEVICE void operator()(const Group& group, int64_t item) const {
    const HeadPart part = part_of(item, t.heads, tile_height, t.length);
    const Head<Scalar> head(t, part);
    // With a causal mask earlier queries do not see these positions.
    const int64_t from = t.causal ? part.first : 0, step = t.heads * t.width;
    const int64_t begin = from * t.length + part.first;
    const Operand<Scalar> scores{score_gradient + head.weights + begin, 1, t.length, part.count};
    const Operand<Scalar> kept{weights + head.weights + begin, 1, t.length, part.count,
                               head.factors == nullptr ? nullptr : head.factors + begin};
    const int64_t place = place_of_head(t, part, t.length) + part.first * step;
    store_rows<tile_height>(group, scores, head.queries + from * t.query_strides.position,
                            t.query_strides.position, t.query_count - from, t.width, key_gradient + place,
                            step);
    store_rows<tile_height>(group, kept,
                            context_gradient + place_of_head(t, part, t.query_count) + from * step, step,
                            t.query_count - from, t.width, value_gradient + place, step);
  }
};

}  // namespace seq2seq::cuda
