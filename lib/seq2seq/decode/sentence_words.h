#pragma once

#include <cstdint>
#include <vector>

#include "seq2seq/nn/ops/top_k.h"

namespace seq2seq {

/// The words that a shortlist leaves each sentence of a batch. An index stands for the word that is there among those of the
/// sentence, and from `width` on for the slot of a source position (nn/copy.h).
class SentenceWords {
 public:
  /// `words` of each sentence: ascending, special tokens first. `vocabulary`: the tokens that there are.
  SentenceWords(std::vector<std::vector<int64_t>> words, int64_t vocabulary, const at::Device& device);

  /// The words of the sentence that has most.
  int64_t most() const;
  int64_t width() const { return ids_.size(1); }
  /// [B, width] int64 on the device, -1 after the words of a sentence
  const Tensor& ids() const { return ids_; }
  /// Those of slots [B, S], on the device; -1 stays.
  Tensor indices(const Tensor& slots) const;
  /// The tokens or slots of indices [N, k], with equally many rows for each sentence.
  Tensor tokens(const Tensor& indices) const;

  /// Those adjustments whose words are among a sentence's own, by index.
  struct Own {
    Adjustments adjustments;
    std::vector<int64_t> places;  ///< of each among all that were given
  };
  Own own(const Adjustments& given) const;

  /// Keeps only the sentences `rows` [M], in this order.
  void keep_sentences(const Tensor& rows);

 private:
  /// -1: not among the words of the sentence
  int64_t index_of(int64_t token, size_t sentence) const;

  std::vector<std::vector<int64_t>> words_;
  int64_t vocabulary_;
  Tensor ids_;
};

}  // namespace seq2seq
