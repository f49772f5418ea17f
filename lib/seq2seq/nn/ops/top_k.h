#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "seq2seq/nn/adjustment.h"
#include "seq2seq/nn/engine/weight_store.h"
#include "seq2seq/nn/ops/copy.h"
#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// What changes single indices of N rows before the best are selected.
struct Adjustments {
  std::vector<Adjustment> all;  ///< of one row after the other; an index once in a row
  std::vector<int64_t> begins;  ///< [N + 1]: row r has those from begins[r] to before begins[r + 1]

  /// Whether there are none, not even rows without any.
  bool empty() const { return begins.empty(); }
  std::span<const Adjustment> of(size_t row) const {
    return std::span(all).subspan(static_cast<size_t>(begins[row]),
                                  static_cast<size_t>(begins[row + 1] - begins[row]));
  }
};

struct TopK {
  Tensor log_probabilities;  ///< [N, k], best first
  Tensor indices;            ///< [N, k] int64
  Tensor watched;            ///< [N] log-probability of the watched index, banned or not
  /// With adjustments [A] alone: the log-probability of each of their indices, and in each row [N] the largest
  /// log-probability that is not banned.
  Tensor adjusted = {}, likeliest = {};
};

/// Kernels of the CPU find the same in a row, bit for bit, however many columns of minus infinity follow, if the number of
/// columns is a multiple of this, and whatever rows are beside it.
constexpr int64_t column_multiple = WeightStore::panel_width;
/// `columns` and as many more as that needs.
constexpr int64_t padded_columns(int64_t columns) {
  return (columns + column_multiple - 1) / column_multiple * column_multiple;
}

/// The k most probable indices of each row under softmax(logits [N, V]), excluding `banned` ones, which keep
/// their share of the probability. Overwrites `logits`. CPU kernels return equal values by ascending index.
/// With adjustments: the k best by adjusted score, of all log-probabilities the unadjusted ones, but minus
/// infinity where the score is.
TopK top_k_log_softmax(const Tensor& logits, int64_t k, const std::vector<int64_t>& banned, int64_t watched,
                       const Adjustments& adjustments = {});

/// The same under the mixture with copying (nn/ops/copy.h), slots beyond the vocabulary included: shares [N, 1]
/// and [N, S], slots [B, S], where N = B * K and the rows of a sentence are adjacent.
TopK top_k_mixture(const Tensor& logits, const CopyShares& shares, const Tensor& slots, int64_t k,
                   const std::vector<int64_t>& banned, int64_t watched, const Adjustments& adjustments = {});

}  // namespace seq2seq
