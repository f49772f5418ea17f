#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <string>

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

class Initializer;
class Vocabulary;

/// Token embeddings: weight [V, E]. The padding row gets no gradient.
class EmbeddingImpl : public torch::nn::Module {
 public:
  EmbeddingImpl(int64_t vocabulary, int64_t size)
      : weight(register_parameter("weight", at::empty({vocabulary, size}))) {}
  /// ids of any shape -> [..., E]
  Tensor forward(const Tensor& ids);
  void initialize(Initializer& initializer);
  Tensor weight;
};
TORCH_MODULE(Embedding);

/// Copies vectors from a text file (one token and E values per line; a word2vec header line is skipped) into
/// the rows of the tokens in `vocabulary`. Returns how many were found. Throws Error("file:line", ...).
int64_t load_pretrained(Embedding& embedding, const Vocabulary& vocabulary, const std::string& path);

}  // namespace seq2seq
