#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "fill.h"
#include "seq2seq/core/random.h"
#include "seq2seq/data/batch.h"
#include "seq2seq/model/seq2seq_model.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq::test {

/// What the model laws are run over. Several layers are residual.
struct Architecture {
  Cell cell = Cell::lstm;
  AttentionKind attention = AttentionKind::additive;
  bool input_feeding = true;
  int64_t layers = 1;
  bool bidirectional = true;
};

inline std::string name_of(const Architecture& a) {
  return std::string(option_names(a.cell)[static_cast<size_t>(a.cell)]) + "_" +
         option_names(a.attention)[static_cast<size_t>(a.attention)] +
         (a.input_feeding ? "_feeding" : "_unfed") + (a.bidirectional ? "_bidirectional" : "_ahead") +
         std::to_string(a.layers);
}

/// Widths that all differ (but for dot attention, which wants two of them equal), without any dropout.
inline ModelOptions tiny_options(const Architecture& a) {
  RnnEncoderOptions encoder{.cell = a.cell,
                            .layers = a.layers,
                            .size = 3,
                            .bidirectional = a.bidirectional,
                            .residual = a.layers > 1,
                            .dropout = 0};
  RnnDecoderOptions decoder{.cell = a.cell,
                            .layers = a.layers,
                            .size = 5,
                            .attention = a.attention,
                            .input_feeding = a.input_feeding,
                            .residual = a.layers > 1,
                            .dropout = 0};
  if (a.attention == AttentionKind::dot) decoder.size = encoder.memory_size();
  ModelOptions options;
  options.embedding.size = 4;
  options.encoder = encoder;
  options.decoder = decoder;
  return options;
}

/// In double, with weights from `fill_parameters`.
inline Seq2Seq tiny_model(const ModelOptions& options, int64_t vocabulary = 9, double scale = 0.6) {
  Seq2Seq model(options, vocabulary, vocabulary);
  model->to(at::kDouble);
  fill_parameters(*model, scale);
  return model;
}

/// Words of these counts (without </s>), drawn from `seed`.
inline std::vector<Example> random_examples(const std::vector<int64_t>& source_words,
                                            const std::vector<int64_t>& target_words, int64_t vocabulary = 9,
                                            uint64_t seed = 1) {
  Random random(seed);
  const auto words = [&](int64_t count) {
    std::vector<int64_t> ids(static_cast<size_t>(count));
    for (int64_t& id : ids)
      id = Vocabulary::special_count +
           static_cast<int64_t>(random.below(static_cast<uint64_t>(vocabulary - Vocabulary::special_count)));
    return ids;
  };
  std::vector<Example> examples;
  for (size_t i = 0; i < source_words.size(); ++i)
    examples.push_back({.index = i, .source = words(source_words[i]), .target = words(target_words[i])});
  return examples;
}

inline TensorBatch batch_of(const std::vector<Example>& examples) {
  return to_tensors(make_batch(examples));
}

/// A batch whose sources have 1, 4 and 7 tokens and whose targets 5, 1 and 3, </s> included.
inline std::vector<Example> uneven_examples() {
  return random_examples({0, 3, 6}, {4, 0, 2});
}

/// Teacher-forced log-probabilities [B, T, V].
inline Tensor log_probabilities(Seq2Seq& model, const TensorBatch& batch, Noise* noise = nullptr) {
  const Memory memory = model->encode(batch.source, noise);
  return model->output()->log_probabilities(model->decode(memory, batch.target_input, noise).features);
}

inline LossSums loss_of(Seq2Seq& model, const TensorBatch& batch, double smoothing, Noise* noise = nullptr) {
  const Memory memory = model->encode(batch.source, noise);
  return model->output()->loss(model->decode(memory, batch.target_input, noise).features, batch.target_output,
                               smoothing);
}

}  // namespace seq2seq::test
