#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <string>
#include <vector>

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

class Initializer;
class Vocabulary;

/// Token embeddings: weight [V, E]. The padding row gets no gradient.
class EmbeddingImpl : public torch::nn::Module {
 public:
  EmbeddingImpl(int64_t vocabulary, int64_t size)
      : weight(register_parameter("weight", at::empty({vocabulary, size}))) {}
  /// ids of any shape -> [..., E]; in the number format of Compute::weights, if there are any
  Tensor forward(const Tensor& ids);
  void initialize(Initializer& initializer);
  Tensor weight;
  Tensor frozen_rows;  ///< ids [R] of rows that are not trained; undefined: none
};
TORCH_MODULE(Embedding);

/// Leaves out of training the rows `ids` [R], beside those that are left out already.
void freeze_rows(Embedding& embedding, const Tensor& ids);

/// The rows that got a vector.
struct PretrainedRows {
  std::vector<int64_t> ids;  ///< in the order of the file
  int64_t repeated = 0;      ///< vectors left out because their token had one already
};

/// Copies the vectors of a file (data/word_vectors.h) into the rows of the tokens in `vocabulary`, but for
/// padding; the first of a token's vectors counts. Throws Error, also when no token has one.
PretrainedRows load_pretrained(Embedding& embedding, const Vocabulary& vocabulary, const std::string& path);

}  // namespace seq2seq
