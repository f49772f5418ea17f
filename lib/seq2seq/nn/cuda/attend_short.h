#pragma once

// Attention of all heads for short sequences, a head a block with its rows and weights in shared memory, and for few
// queries, a query a warp. No sum depends on the order in which threads run.

#include "seq2seq/nn/cuda/attend.h"

namespace seq2seq::cuda {

/// Distance of rows in shared memory: odd, so that neighbouring rows begin in different banks.
constexpr int64_t spread(int64_t width) {
  return width | 1;
}

/// Part of an operand of a product in shared memory: element (o, k) as in Operand.
template <class Scalar>
struct SharedOperand {
  const Scalar* data;
  int outer, inner;  // strides
  int count;

  SEQ2SEQ_DEVICE int begin(int o) const { return smaller(o, count - 1) * outer; }
};

/// Calls store(row, column, sum over k < terms of left (row, k) right (column, k)) for all of a table. A thread
/// computes patch x patch elements at a time, so that each value that it reads serves several of them.
template <int patch, class Group, class Scalar, class Store>
SEQ2SEQ_DEVICE void store_patches(const Group& group, const SharedOperand<Scalar>& left,
                                  const SharedOperand<Scalar>& right, int terms, const Store& store) {
  const int down = (left.count + patch - 1) / patch, across = (right.count + patch - 1) / patch;
  for (int p = group.rank(); p < down * across; p += group.size()) {
    const int row = p / across, column = p % across;
    int a[patch], b[patch];  // beyond the table, its last row or column again
    for (int i = 0; i < patch; ++i) {
      a[i] = left.begin(row + i * down);
      b[i] = right.begin(column + i * across);
    }
    Scalar sums[patch][patch] = {};
    for (int k = 0; k < terms; ++k) {
      Scalar lefts[patch], rights[patch];
      for (int i = 0; i < patch; ++i) {
        lefts[i] = left.data[a[i] + k * left.inner];
        rights[i] = right.data[b[i] + k * right.inner];
      }
      for (int i = 0; i < patch; ++i)
        for (int j = 0; j < patch; ++j) sums[i][j] += lefts[i] * rights[j];
    }
    for (int i = 0; i < patch; ++i)
      for (int j = 0; j < patch; ++j)
        if (row + i * down < left.count && column + j * across < right.count)
          store(row + i * down, column + j * across, sums[i][j]);
  }
}

/// The same with small patches where large ones would leave threads without work.
template <class Group, class Scalar, class Store>
SEQ2SEQ_DEVICE void store_shared_products(const Group& group, const SharedOperand<Scalar>& left,
                                          const SharedOperand<Scalar>& right, int terms, const Store& store) {
  if ((left.count + 1) / 2 * ((right.count + 1) / 2) <= group.size())
    store_patches<2>(group, left, right, terms, store);
  else
    store_patches<4>(group, left, right, terms, store);
}

/// A head's rows of queries and of positions and tables [q, s], in shared memory.
template <class Scalar>
struct ShortHead {
  int query_count, length, width;
  int row_stride, table_stride;
  Scalar *of_queries, *of_positions, *tables;

  SEQ2SEQ_DEVICE ShortHead(const kernels::HeadTerms<Scalar>& t, Scalar* shared)
      : query_count(static_cast<int>(t.query_count)),
        length(static_cast<int>(t.length)),
        width(static_cast<int>(t.width)),
        row_stride(static_cast<int>(spread(t.width))),
        table_stride(static_cast<int>(spread(t.length))),
        of_queries(shared),
        of_positions(of_queries + query_count * row_stride),
        tables(of_positions + length * row_stride) {}

  /// Size of shared memory.
  static int64_t values(const kernels::HeadTerms<Scalar>& t, int64_t tables) {
    return (t.query_count + t.length) * spread(t.width) + tables * t.query_count * spread(t.length);
  }

  SEQ2SEQ_DEVICE Scalar* table(int number) const { return tables + number * query_count * table_stride; }

  SEQ2SEQ_DEVICE SharedOperand<Scalar> queries() const { return {of_queries, row_stride, 1, query_count}; }
  SEQ2SEQ_DEVICE SharedOperand<Scalar> positions() const { return {of_positions, row_stride, 1, length}; }
  SEQ2SEQ_DEVICE SharedOperand<Scalar> query_columns() const { return {of_queries, 1, row_stride, width}; }
  SEQ2SEQ_DEVICE SharedOperand<Scalar> position_columns() const {
    return {of_positions, 1, row_stride, width};
  }
  SEQ2SEQ_DEVICE SharedOperand<Scalar> by_query(const Scalar* table) const {
    return {table, table_stride, 1, query_count};
  }
  SEQ2SEQ_DEVICE SharedOperand<Scalar> by_position(const Scalar* table) const {
    return {table, 1, table_stride, length};
  }

  /// Copies rows that are `stride` apart.
  template <class Group>
  SEQ2SEQ_DEVICE void copy(const Group& group, const Scalar* rows, int64_t stride, int count,
                           Scalar* copies) const {
    int row = group.rank() / width, column = group.rank() % width;
    const int down = group.size() / width, right = group.size() % width;
    SEQ2SEQ_UNROLL
    for (int e = group.rank(); e < count * width; e += group.size()) {
      copies[row * row_stride + column] = rows[row * stride + column];
      row += down;
      column += right;
      if (column >= width) {
        column -= width;
        ++row;
      }
    }
  }
};

SEQ2SEQ_DEVICE inline HeadPart whole_head(int64_t item, int64_t heads, int64_t query_count) {
  const Place head = place_of(item, heads);
  return {head.row, head.column, 0, query_count};
}

/// Weights and context of a head.
template <class Scalar>
struct AttendShort {
  kernels::HeadTerms<Scalar> t;
  Scalar *weights, *context;

  template <class Group>
  SEQ2SEQ_DEVICE void operator()(const Group& group, int64_t item) const {
    const HeadPart part = whole_head(item, t.heads, t.query_count);
    const Head<Scalar> head(t, part);
    const ShortHead<Scalar> here(t, group.template shared<Scalar>());
    here.copy(group, head.queries, t.query_strides.position, here.query_count, here.of_queries);
    here.copy(group, head.keys, t.key_strides.position, here.length, here.of_positions);
    group.sync();
    write_scores(group, head, here);
    group.sync();
    here.copy(group, head.values, t.value_strides.position, here.length, here.of_positions);
    for (int q = group.part(); q < here.query_count; q += group.parts())
      write_weights(group.team(), head, here.table(0) + q * here.table_stride, q * t.length);
    group.sync();
    Scalar* rows = context + place_of_head(t, part, t.query_count);
    const int64_t step = t.heads * t.width;
    store_shared_products(group, here.by_query(here.table(0)), here.position_columns(), here.length,
                          [&](int row, int column, Scalar product) { rows[row * step + column] = product; });
  }

 private:
  template <class Group>
  SEQ2SEQ_DEVICE void write_scores(const Group& group, const Head<Scalar>& head,
                                   const ShortHead<Scalar>& here) const {
    Scalar* scores = here.table(0);
    store_shared_products(
        group, here.queries(), here.positions(), here.width, [&](int q, int s, Scalar product) {
          const bool seen = (head.mask == nullptr || head.mask[s]) && (!t.causal || s <= q);
          scores[q * here.table_stride + s] = seen ? t.scale * product : -infinity<Scalar>();
        });
  }

  /// Makes weights of a row of scores; those kept by dropout take its place.
  template <class Team>
  SEQ2SEQ_DEVICE void write_weights(const Team& team, const Head<Scalar>& head, Scalar* row,
                                    int64_t place) const {
    softmax(team, row, t.length, t.length);
    for (int64_t s = team.rank(); s < t.length; s += team.size()) {
      weights[head.weights + place + s] = row[s];
      if (head.factors != nullptr) row[s] *= head.factors[place + s];
    }
  }
};

/// All gradients of a head.
template <class Scalar>
struct AttendBackwardShort {
  kernels::HeadTerms<Scalar> t;
  const Scalar *weights, *context_gradient;
  kernels::HeadGradients<Scalar> out;

  template <class Group>
  SEQ2SEQ_DEVICE void operator()(const Group& group, int64_t item) const {
    const HeadPart part = whole_head(item, t.heads, t.query_count);
    const Head<Scalar> head(t, part);
    const ShortHead<Scalar> here(t, group.template shared<Scalar>());
    const Scalar *kept = here.table(0), *scores = here.table(1);
    const int64_t of_queries = place_of_head(t, part, t.query_count),
                  of_positions = place_of_head(t, part, t.length);
    here.copy(group, context_gradient + of_queries, t.heads * t.width, here.query_count, here.of_queries);
    here.copy(group, head.values, t.value_strides.position, here.length, here.of_positions);
    group.sync();
    write_weight_gradient(group, head, here);
    group.sync();
    write_score_gradient(group, head, here);
    write(group, here.by_position(kept), here.query_columns(), here.query_count, out.values + of_positions);
    group.sync();
    here.copy(group, head.queries, t.query_strides.position, here.query_count, here.of_queries);
    here.copy(group, head.keys, t.key_strides.position, here.length, here.of_positions);
    group.sync();
    write(group, here.by_query(scores), here.position_columns(), here.length, out.queries + of_queries);
    write(group, here.by_position(scores), here.query_columns(), here.query_count, out.keys + of_positions);
  }

 private:
  /// Also the weights that dropout kept.
  template <class Group>
  SEQ2SEQ_DEVICE void write_weight_gradient(const Group& group, const Head<Scalar>& head,
                                            const ShortHead<Scalar>& here) const {
    Scalar *kept = here.table(0), *gradients = here.table(1);
    store_shared_products(group, here.queries(), here.positions(), here.width,
                          [&](int q, int s, Scalar product) {
                            const int64_t place = q * t.length + s;
                            const int at = q * here.table_stride + s;
                            const Scalar factor = head.factors == nullptr ? Scalar(1) : head.factors[place];
                            kept[at] = weights[head.weights + place] * factor;
                            gradients[at] = product * factor;
                          });
  }

  template <class Group>
  SEQ2SEQ_DEVICE void write_score_gradient(const Group& group, const Head<Scalar>& head,
                                           const ShortHead<Scalar>& here) const {
    for (int q = group.part(); q < here.query_count; q += group.parts())
      through_softmax(group.team(), t.scale, weights + head.weights + q * t.length,
                      here.table(1) + q * here.table_stride, t.length, t.length);
  }

  template <class Group>
  SEQ2SEQ_DEVICE void write(const Group& group, const SharedOperand<Scalar>& left,
                            const SharedOperand<Scalar>& right, int terms, Scalar* rows) const {
    const int64_t step = t.heads * t.width;
    store_shared_products(group, left, right, terms,
                          [&](int row, int column, Scalar product) { rows[row * step + column] = product; });
  }
};

/// Weights and context of one query, a warp each.
template <class Scalar>
struct AttendQuery {
  kernels::HeadTerms<Scalar> t;
  Scalar *weights, *context;

  template <class Group>
  SEQ2SEQ_DEVICE void operator()(const Group& group, int64_t item) const {
    const Place query = place_of(item, t.query_count), head_place = place_of(query.row, t.heads);
    const HeadPart part{head_place.row, head_place.column, query.column, 1};
    const Head<Scalar> head(t, part);
    const int64_t visible = visible_to(t, part);
    const int64_t begin = part.first * t.length;
    Scalar* row = weights + head.weights + begin;
    write_scores(group, head, head.queries + part.first * t.query_strides.position, row, visible);
    softmax(group, row, visible, t.length);
    group.sync();
    write_context(group, head, row, head.factors == nullptr ? nullptr : head.factors + begin, visible,
                  context + place_of_head(t, part, t.query_count) + part.first * t.heads * t.width);
  }

 private:
  static constexpr int positions_at_once = 4;  // whose keys are under way together

  /// Each score is written by the thread that reads it in `softmax`.
  template <class Group>
  SEQ2SEQ_DEVICE void write_scores(const Group& group, const Head<Scalar>& head, const Scalar* query,
                                   Scalar* row, int64_t visible) const {
    for (int64_t first = 0; first < visible; first += positions_at_once) {
      Scalar sums[positions_at_once] = {};
      for (int64_t d = group.rank(); d < t.width; d += group.size())
        for (int i = 0; i < positions_at_once; ++i)
          sums[i] += query[d] * head.keys[smaller(first + i, visible - 1) * t.key_strides.position + d];
      for (int i = 0; i < positions_at_once; ++i) {
        const int64_t s = first + i;
        const Scalar product = group.sum(sums[i]);
        if (s >= visible || s % group.size() != group.rank()) continue;
        row[s] = head.mask == nullptr || head.mask[s] ? t.scale * product : -infinity<Scalar>();
      }
    }
  }

  template <class Group>
  SEQ2SEQ_DEVICE void write_context(const Group& group, const Head<Scalar>& head, const Scalar* row,
                                    const Scalar* factors, int64_t visible, Scalar* result) const {
    for (int64_t d = group.rank(); d < t.width; d += group.size()) {
      Scalar sum = 0;
      SEQ2SEQ_UNROLL
      for (int64_t s = 0; s < visible; ++s) {
        const Scalar weight = factors == nullptr ? row[s] : row[s] * factors[s];
        sum += weight * head.values[s * t.value_strides.position + d];
      }
      result[d] = sum;
    }
  }
};

}  // namespace seq2seq::cuda
