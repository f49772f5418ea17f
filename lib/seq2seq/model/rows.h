#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// An ordered list of tensors with the same rows in dimension 0. Beam search and archives need to know
/// nothing else about a model's internal values.
struct Rows {
  std::vector<Tensor> tensors;

  int64_t count() const { return tensors.front().size(0); }
  /// The given rows [M] int64 of every tensor; rows may repeat.
  std::vector<Tensor> selected(const Tensor& rows) const;
};

/// Source ids [B, S] int64: each sentence, </s>, then padding; lengths [B] count </s>.
struct SourceBatch {
  Tensor ids, lengths;
  /// The largest number of sentences in one source; 0 = unknown, so that computing it synchronizes.
  int64_t sentences = 0;
  SourceBatch to(const at::Device& device) const { return {ids.to(device), lengths.to(device), sentences}; }
};

/// Assigns the tensors of a list in order. A view of such a list names its tensors once, in a visitor
/// `tensors(view, f)`: with an f that appends, it builds the list; with this one, it reads the list.
class RowsReader {
 public:
  explicit RowsReader(std::span<const Tensor> tensors) : left_(tensors) {}
  /// Throws (TORCH_CHECK) when none is left.
  void operator()(Tensor& tensor);

 private:
  std::span<const Tensor> left_;
};

/// The sentences of a hierarchical encoder.
struct SentenceMemory {
  Tensor states;   ///< [B, J, G] of the document's sentences
  Tensor mask;     ///< [B, J]
  Tensor of_word;  ///< [B, S] int64 sentence index of each token
  static void tensors(auto& view, auto&& f) {
    f(view.states);
    f(view.mask);
    f(view.of_word);
  }
};

/// The encoded source, one row per sentence. Never copied per hypothesis.
struct Memory : Rows {
  Memory(const Tensor& states, const Tensor& mask, const Tensor& summary) : Rows{{states, mask, summary}} {}

  const Tensor& states() const { return tensors[0]; }   ///< [B, S, H]
  const Tensor& mask() const { return tensors[1]; }     ///< [B, S] bool, true = attend
  const Tensor& summary() const { return tensors[2]; }  ///< [B, D] the whole source in one vector

  void add_sentences(const SentenceMemory& sentences);
  SentenceMemory sentences() const;

  /// When the model copies: the slot [B, S] of each source position (nn/ops/copy.h).
  void add_copy_slots(const Tensor& slots);
  void replace_copy_slots(const Tensor& slots);
  bool has_copy_slots() const { return copy_slots_ != none; }
  const Tensor& copy_slots() const;

  /// What the decoder's `prepare` adds, in the decoder's order.
  void add_prepared(const Tensor& tensor);
  RowsReader prepared() const { return added(prepared_); }

  Memory select(const Tensor& rows) const;
  /// The same sentences with their copy slots alone, which is what the output layer reads.
  Memory slots_alone() const;

 private:
  static constexpr size_t none = SIZE_MAX;
  RowsReader added(size_t begin) const;

  size_t sentences_ = none, copy_slots_ = none, prepared_ = none;  // index of the first tensor
};

/// What a decoder carries from step to step, one row per hypothesis.
struct State : Rows {
  State() = default;
  explicit State(std::vector<Tensor> all) : Rows{std::move(all)} {}
  State select(const Tensor& rows) const { return State(selected(rows)); }
};

}  // namespace seq2seq
