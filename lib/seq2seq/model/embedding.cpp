#include "seq2seq/model/embedding.h"

#include <ATen/ATen.h>

#include <span>
#include <string_view>

#include "seq2seq/core/error.h"
#include "seq2seq/data/word_vectors.h"
#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/engine/weight_store.h"
#include "seq2seq/nn/layers/initializer.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {

Tensor EmbeddingImpl::forward(const Tensor& ids) {
  if (WeightStore* store = Compute::now().weights)
    if (const QuantizedWeight* rows = store->rows(weight)) return rows->rows(ids);
  return at::embedding(weight, ids, Vocabulary::padding);
}

void EmbeddingImpl::initialize(Initializer& initializer) {
  initializer.matrix(weight);
  initializer.constant(weight.select(0, Vocabulary::padding), 0);
}

void freeze_rows(Embedding& embedding, const Tensor& ids) {
  const Tensor& before = embedding->frozen_rows;
  embedding->frozen_rows = std::get<0>(at::_unique(before.defined() ? at::cat({before, ids}) : ids));
}

PretrainedRows load_pretrained(Embedding& embedding, const Vocabulary& vocabulary, const std::string& path) {
  const at::NoGradGuard no_grad;
  const int64_t width = embedding->weight.size(1);
  PretrainedRows rows;
  std::vector<bool> has_vector(static_cast<size_t>(vocabulary.size()));
  read_word_vectors(path, width, [&](std::string_view token, std::span<const float> vector) {
    const auto id = vocabulary.find(token);
    if (!id || *id == Vocabulary::padding) return;
    if (has_vector[static_cast<size_t>(*id)]) {
      ++rows.repeated;
      return;
    }
    has_vector[static_cast<size_t>(*id)] = true;
    rows.ids.push_back(*id);
    const Tensor values = at::tensor(at::ArrayRef<float>(vector.data(), vector.size()));
    embedding->weight.select(0, *id).copy_(values);
  });
  if (rows.ids.empty())
    throw Error(path, "has none of the vocabulary's tokens", "check the file and the tokenizer");
  return rows;
}

}  // namespace seq2seq
