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
  CoverageKind coverage = CoverageKind::none;
  bool copying = false;
  bool hierarchical = false;
};

inline std::string name_of(const Architecture& a) {
  return std::string(option_names(a.cell)[static_cast<size_t>(a.cell)]) + "_" +
         option_names(a.attention)[static_cast<size_t>(a.attention)] +
         (a.input_feeding ? "_feeding" : "_unfed") + (a.bidirectional ? "_bidirectional" : "_ahead") +
         std::to_string(a.layers) +
         (a.coverage == CoverageKind::none
              ? ""
              : std::string("_") + option_names(a.coverage)[static_cast<size_t>(a.coverage)]) +
         (a.copying ? "_copying" : "") + (a.hierarchical ? "_hierarchical" : "");
}

/// Every kind of attention, coverage, copying and encoder with each other.
inline std::vector<Architecture> copying_architectures() {
  std::vector<Architecture> all;
  for (const auto attention : {AttentionKind::dot, AttentionKind::general, AttentionKind::additive})
    for (const auto coverage : {CoverageKind::none, CoverageKind::linear, CoverageKind::gru})
      for (const bool copying : {false, true})
        for (const bool hierarchical : {false, true}) {
          if (coverage == CoverageKind::none && !copying && !hierarchical) continue;
          Architecture architecture{.attention = attention};
          architecture.coverage = coverage;
          architecture.copying = copying;
          architecture.hierarchical = hierarchical;
          all.push_back(architecture);
        }
  Architecture deep{.cell = Cell::gru, .input_feeding = false, .layers = 2, .bidirectional = false};
  deep.coverage = CoverageKind::linear;
  deep.copying = deep.hierarchical = true;
  all.push_back(deep);
  return all;
}

/// Widths that all differ (but for dot attention, which wants two of them equal), without any dropout.
inline ModelOptions tiny_options(const Architecture& a) {
  RnnEncoderOptions encoder{.cell = a.cell,
                            .layers = a.layers,
                            .size = 3,
                            .bidirectional = a.bidirectional,
                            .residual = a.layers > 1,
                            .dropout = 0};
  const HierarchicalEncoderOptions hierarchical{.cell = a.cell,
                                                .layers = a.layers,
                                                .size = 3,
                                                .sentence_size = 2,
                                                .bidirectional = a.bidirectional,
                                                .dropout = 0};
  RnnDecoderOptions decoder{.cell = a.cell,
                            .layers = a.layers,
                            .size = 5,
                            .attention = a.attention,
                            .coverage = a.coverage,
                            .input_feeding = a.input_feeding,
                            .residual = a.layers > 1,
                            .dropout = 0};
  if (a.attention == AttentionKind::dot) decoder.size = encoder.memory_size();
  ModelOptions options;
  options.embedding.size = 4;
  if (a.hierarchical)
    options.encoder = hierarchical;
  else
    options.encoder = encoder;
  options.copying = a.copying;
  options.decoder = decoder;
  return options;
}

/// In double, with weights from `fill_parameters`.
inline Seq2Seq tiny_model(const ModelOptions& options, int64_t vocabulary = 9, double scale = 0.6) {
  Seq2Seq model(options, vocabulary, vocabulary);
  model->to(at::kDouble);
  fill_parameters(*model, scale);
  if (options.copying) {
    // The target vocabulary lacks the source's last word.
    std::vector<int64_t> table(static_cast<size_t>(vocabulary), -1);
    for (int64_t id = Vocabulary::special_count; id < vocabulary - 1; ++id)
      table[static_cast<size_t>(id)] = id;
    model->set_source_to_target(table);
  }
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

/// The same as a model of this architecture reads them: with unknown words in source and target (one source
/// of unknown words only), and with sentences, one of them empty.
inline std::vector<Example> examples_for(const Architecture& a, int64_t vocabulary = 9) {
  std::vector<Example> examples = uneven_examples();
  if (a.copying) {
    examples[1].source = {vocabulary, vocabulary + 1, vocabulary};
    examples[2].source[1] = examples[2].source[4] = vocabulary + 1;
    examples[2].source[5] = vocabulary - 1;
    examples[2].target = {vocabulary + 1, vocabulary + 5};
  }
  if (a.hierarchical) {
    examples[1].source[0] = Vocabulary::begin;
    examples[2].source[2] = Vocabulary::begin;
    if (a.copying) examples[1].source[2] = vocabulary + 1;
  }
  return examples;
}

/// All steps as the steps of as many hypotheses.
inline Step as_hypotheses(const StepSequence& steps) {
  const auto rows = [](const Tensor& t) { return t.defined() ? t.flatten(0, 1) : t; };
  return {rows(steps.features), rows(steps.attention), rows(steps.copy_gate), {}};
}

/// [B, T, V], or [B, T, V + S] when the model copies; what is impossible has -700, so that it can be
/// compared.
inline Tensor log_probabilities_of(Seq2Seq& model, const Memory& memory, const StepSequence& steps) {
  return model->output()
      ->log_probabilities(as_hypotheses(steps), memory)
      .clamp_min(-700)
      .view({steps.features.size(0), steps.features.size(1), -1});
}

/// Teacher-forced log-probabilities [B, T, V].
inline Tensor log_probabilities(Seq2Seq& model, const TensorBatch& batch, Noise* noise = nullptr) {
  const Memory memory = model->encode(batch.source, noise);
  return log_probabilities_of(model, memory, model->decode(memory, batch.target_input, noise));
}

inline LossSums loss_of(Seq2Seq& model, const TensorBatch& batch, double smoothing, Noise* noise = nullptr) {
  const Memory memory = model->encode(batch.source, noise);
  return model->output()->loss(model->decode(memory, batch.target_input, noise), memory, batch.target_output,
                               smoothing);
}

}  // namespace seq2seq::test
