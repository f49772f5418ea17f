#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "fill.h"
#include "names.h"
#include "seq2seq/core/random.h"
#include "seq2seq/data/batch.h"
#include "seq2seq/model/seq2seq_model.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq::test {

/// An architecture to test. Several recurrent layers are residual.
struct Architecture {
  Cell cell = Cell::lstm;
  AttentionOptions attention = AdditiveAttention{};
  bool input_feeding = true;
  int64_t layers = 1;
  bool bidirectional = true;
  CoverageOptions coverage = NoCoverage{};
  bool copying = false;
  bool hierarchical = false;
  bool layer_norm = false;
  ContextGate context_gate = ContextGate::none;
  bool transformer_encoder = false, transformer_decoder = false;
  NormPlace norm = NormPlace::pre;
  Activation activation = Activation::relu;
  PositionKind positions = PositionKind::sinusoidal;
};

inline std::string name_of(const Architecture& a) {
  const bool transformer = a.transformer_encoder || a.transformer_decoder;
  std::string name = a.transformer_encoder ? "transformer" : name_of_value(a.cell);
  name += a.transformer_decoder
              ? "_transformer"
              : "_" + name_of_value(a.attention) + (a.input_feeding ? "_feeding" : "_unfed");
  if (!a.transformer_encoder) name += a.bidirectional ? "_bidirectional" : "_ahead";
  name += std::to_string(a.layers);
  if (!is<NoCoverage>(a.coverage)) name += "_" + name_of_value(a.coverage);
  if (a.context_gate != ContextGate::none) name += "_" + name_of_value(a.context_gate) + "_gated";
  if (a.layer_norm) name += "_normalized";
  if (transformer)
    name +=
        "_" + name_of_value(a.norm) + "_" + name_of_value(a.activation) + "_" + name_of_value(a.positions);
  return name + (a.copying ? "_copying" : "") + (a.hierarchical ? "_hierarchical" : "");
}

/// Every kind of attention; the window of `local` is smaller than the sentences.
inline std::vector<AttentionOptions> all_attentions() {
  std::vector<AttentionOptions> all = all_kinds<AttentionOptions>();
  for (AttentionOptions& attention : all)
    if (auto* local = std::get_if<LocalAttention>(&attention)) local->window = 2;
  return all;
}

/// All combinations of attention, coverage, copying and recurrent encoder.
inline std::vector<Architecture> copying_architectures() {
  std::vector<Architecture> all;
  for (const auto& attention : all_attentions())
    for (const auto& coverage : all_kinds<CoverageOptions>())
      for (const bool copying : {false, true})
        for (const bool hierarchical : {false, true}) {
          if (is<NoAttention>(attention)) continue;
          if (is<NoCoverage>(coverage) && !copying && !hierarchical) continue;
          Architecture architecture{.attention = attention};
          architecture.coverage = coverage;
          architecture.copying = copying;
          architecture.hierarchical = hierarchical;
          all.push_back(architecture);
        }
  Architecture deep{.cell = Cell::gru, .input_feeding = false, .layers = 2, .bidirectional = false};
  deep.coverage = LinearCoverage{};
  deep.copying = deep.hierarchical = true;
  all.push_back(deep);
  return all;
}

/// Layer normalization and context gates.
inline std::vector<Architecture> deep_architectures() {
  std::vector<Architecture> all;
  for (const Cell cell : {Cell::rnn, Cell::lstm, Cell::gru})
    for (const auto gate : {ContextGate::none, ContextGate::source, ContextGate::target, ContextGate::both})
      for (const int64_t layers : {1, 3}) {
        Architecture architecture{.cell = cell, .layers = layers};
        architecture.context_gate = gate;
        architecture.layer_norm = layers > 1;
        if (gate != ContextGate::none || layers > 1) all.push_back(architecture);
      }
  Architecture fixed{.attention = NoAttention{}, .layers = 2};
  fixed.layer_norm = true;
  all.push_back(fixed);
  return all;
}

/// Transformers of every kind, and their encoder or decoder with every recurrent counterpart.
inline std::vector<Architecture> transformer_architectures() {
  std::vector<Architecture> all;
  for (const auto norm : {NormPlace::pre, NormPlace::post})
    for (const auto positions : {PositionKind::sinusoidal, PositionKind::learned, PositionKind::rotary})
      for (const bool copying : {false, true}) {
        Architecture architecture{.layers = copying ? 1 : 2};
        architecture.transformer_encoder = architecture.transformer_decoder = true;
        architecture.norm = norm;
        architecture.positions = positions;
        architecture.copying = copying;
        architecture.activation = norm == NormPlace::pre ? Activation::relu : Activation::gelu;
        all.push_back(architecture);
      }
  for (const Cell cell : {Cell::rnn, Cell::lstm, Cell::gru})
    for (const bool copying : {false, true}) {
      Architecture architecture{.cell = cell, .layers = 2};
      architecture.transformer_decoder = true;
      architecture.copying = copying;
      all.push_back(architecture);
    }
  for (const auto& attention : all_attentions())
    for (const auto& coverage : all_kinds<CoverageOptions>())
      for (const bool copying : {false, true}) {
        if (is<NoAttention>(attention) && (copying || !is<NoCoverage>(coverage))) continue;
        Architecture architecture{.attention = attention};
        architecture.transformer_encoder = true;
        architecture.coverage = coverage;
        architecture.copying = copying;
        all.push_back(architecture);
      }
  return all;
}

inline std::vector<Architecture> all_architectures() {
  std::vector<Architecture> all;
  for (const Cell cell : {Cell::rnn, Cell::lstm, Cell::gru})
    for (const auto& attention : all_attentions())
      for (const bool input_feeding : {false, true})
        for (const int64_t layers : {1, 2})
          for (const bool bidirectional : {false, true})
            all.push_back({cell, attention, input_feeding, layers, bidirectional});
  for (const auto& more : {copying_architectures(), deep_architectures(), transformer_architectures()})
    all.insert(all.end(), more.begin(), more.end());
  return all;
}

/// All widths differ (unless two have to be equal); no dropout.
inline ModelOptions tiny_options(const Architecture& a) {
  const RnnEncoderOptions encoder{.cell = a.cell,
                                  .layers = a.layers,
                                  .size = 3,
                                  .bidirectional = a.bidirectional,
                                  .residual = a.layers > 1,
                                  .layer_norm = a.layer_norm,
                                  .dropout = 0};
  const HierarchicalEncoderOptions hierarchical{.cell = a.cell,
                                                .layers = a.layers,
                                                .size = 3,
                                                .sentence_size = 2,
                                                .bidirectional = a.bidirectional,
                                                .dropout = 0};
  const TransformerOptions transformer{.layers = a.layers,
                                       .heads = 2,
                                       .inner_size = 6,
                                       .norm = a.norm,
                                       .activation = a.activation,
                                       .positions = a.positions,
                                       .dropout = 0};
  RnnDecoderOptions decoder{.cell = a.cell,
                            .layers = a.layers,
                            .size = is<MultiHeadAttention>(a.attention) ? 8 : 5,
                            .attention = a.attention,
                            .coverage = a.coverage,
                            .context_gate = a.context_gate,
                            .input_feeding = a.input_feeding,
                            .residual = a.layers > 1,
                            .layer_norm = a.layer_norm,
                            .dropout = 0};
  ModelOptions options;
  options.embedding.size = 4;
  options.copying = a.copying;
  if (a.hierarchical)
    options.encoder = hierarchical;
  else if (a.transformer_encoder)
    options.encoder = transformer;
  else
    options.encoder = encoder;
  if (is<DotAttention>(a.attention)) decoder.size = memory_size(options);
  if (a.transformer_decoder)
    options.decoder = transformer;
  else
    options.decoder = decoder;
  check(options);
  return options;
}

/// Of a model whose widths are no multiples of what kernels compute at a time, but more than that.
inline ModelOptions wide_options(const Architecture& a) {
  ModelOptions options = tiny_options(a);
  options.embedding.size = 36;
  if (auto* rnn = std::get_if<RnnEncoderOptions>(&options.encoder)) rnn->size = 21;
  if (auto* rnn = std::get_if<RnnDecoderOptions>(&options.decoder))
    rnn->size = is<DotAttention>(a.attention) ? memory_size(options) : 40;
  check(options);
  return options;
}

/// In float64, with weights from `fill_parameters`, on the tests' device.
inline Seq2Seq tiny_model(const ModelOptions& options, int64_t vocabulary = 9, double scale = 0.6) {
  Seq2Seq model(options, vocabulary, vocabulary);
  model->to(at::kDouble);
  fill_parameters(*model, scale);
  if (options.copying) {
    // The target vocabulary lacks the source's last token.
    std::vector<int64_t> table(static_cast<size_t>(vocabulary), -1);
    for (int64_t id = Vocabulary::special_count; id < vocabulary - 1; ++id)
      table[static_cast<size_t>(id)] = id;
    model->set_source_to_target(table);
  }
  return on_device(model);
}

/// Random examples of these lengths (without </s>), by `seed`.
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
  return to_tensors(make_batch(examples), test_device());
}

/// A batch whose sources have 1, 4 and 7 tokens and whose targets 5, 1 and 3, </s> included.
inline std::vector<Example> uneven_examples() {
  return random_examples({0, 3, 6}, {4, 0, 2});
}

/// The same for a model of this architecture: with unknown tokens in source and target (one source of unknown
/// tokens only) if it copies, and with several sentences, one of them empty, if it is hierarchical.
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

/// [B, T, V], or [B, T, V + S] when the model copies; -inf becomes -700, so that it can be compared.
inline Tensor log_probabilities_of(Seq2Seq& model, const Memory& memory, const StepSequence& steps) {
  return model->output()
      ->log_probabilities(steps.as_hypotheses(), memory)
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
