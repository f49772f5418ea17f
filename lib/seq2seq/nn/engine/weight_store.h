#pragma once

#include <mutex>
#include <unordered_map>
#include <vector>

#include "seq2seq/nn/engine/packed_weight.h"

namespace seq2seq {

/// Weights packed for products that record no graph, as in decoding: with few rows several times as fast as others, and
/// each row of a result depends on its own row alone, bit for bit. The cost is a second copy of each weight used, unless the
/// weights lie in a mapped file: then the memory of the first is given back (core/mapped_file.h).
/// `linear` uses it while it is `Compute::weights`. Thread-safe. The weights must not change while it lives.
class WeightStore {
 public:
  static constexpr int64_t panel_width = PackedWeight::panel_width;

  /// The float32 matrices on a CPU among `weights` are packed at their first use, each in the format that `format_of` gives it.
  explicit WeightStore(const std::vector<Tensor>& weights, WeightFormat format = WeightFormat::float32);
  WeightFormat format() const { return format_; }

  /// Uses these numbers of `weight`, in the format of the store, instead of its own, which are not read.
  void keep(const Tensor& weight, QuantizedWeight numbers);

  /// The rows of `weight`, for embeddings and shortlists: those kept, or rounded at the first use. They live as long as the
  /// store. Null if they are those of the weight itself, in float32, or it is not one of those.
  const QuantizedWeight* rows(const Tensor& weight);

  /// `weight` packed, which lives as long as the store; null if it is not one of those.
  const PackedWeight* packed(const Tensor& weight);

 private:
  struct Entry {
    Tensor weight;
    QuantizedWeight rows;
    PackedWeight packed;
  };
  WeightFormat format_;
  std::mutex mutex_;
  std::unordered_map<const c10::TensorImpl*, Entry> entries_;
};

}  // namespace seq2seq
