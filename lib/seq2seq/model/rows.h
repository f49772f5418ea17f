#pragma once

#include <vector>

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// An ordered list of tensors that all have the same rows in dimension 0. Beams, archives and finished
/// sentences need nothing else of a model's inner values.
struct Rows {
  std::vector<Tensor> tensors;

  int64_t count() const { return tensors.front().size(0); }
  /// The given rows [M] int64 of every tensor; rows may repeat.
  std::vector<Tensor> selected(const Tensor& rows) const;
};

/// Source ids [B, S] int64 with </s> at the end of each sentence and padding behind it; lengths [B] with
/// </s>.
struct SourceBatch {
  Tensor ids, lengths;
  SourceBatch to(const at::Device& device) const { return {ids.to(device), lengths.to(device)}; }
};

/// What is known of each sentence; a row is a sentence. Never copied per hypothesis.
struct Memory : Rows {
  Memory(const Tensor& states, const Tensor& mask, const Tensor& summary) : Rows{{states, mask, summary}} {}
  explicit Memory(std::vector<Tensor> all) : Rows{std::move(all)} {}

  const Tensor& states() const { return tensors[0]; }   ///< [B, S, H]
  const Tensor& mask() const { return tensors[1]; }     ///< [B, S] bool, true = attend
  const Tensor& summary() const { return tensors[2]; }  ///< [B, D] the whole sentence in one vector
  /// What the decoder's `prepare` added, from 0.
  const Tensor& prepared(size_t index) const { return tensors[3 + index]; }
  Memory select(const Tensor& rows) const { return Memory(selected(rows)); }
};

/// What a decoder carries from step to step; a row is a hypothesis.
struct State : Rows {
  State() = default;
  explicit State(std::vector<Tensor> all) : Rows{std::move(all)} {}
  State select(const Tensor& rows) const { return State(selected(rows)); }
};

}  // namespace seq2seq
