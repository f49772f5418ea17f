#pragma once

#include <string>
#include <variant>

#include "seq2seq/core/options.h"
#include "seq2seq/nn/layers/attention/kinds.h"
#include "seq2seq/nn/layers/recurrent.h"
#include "seq2seq/nn/layers/transformer.h"

namespace seq2seq {

/// Which of the three embedding matrices (source, target, output projection) are one and the same.
enum class EmbeddingSharing { none, source_target, target_output, all };
std::span<const char* const> option_names(EmbeddingSharing);

struct EmbeddingOptions {
  int64_t size = 256;
  EmbeddingSharing sharing = EmbeddingSharing::none;
  std::string source_file, target_file;
  bool freeze = false;
  static void fields(auto& o, auto& f) {
    f("size", o.size, "width of the token embeddings", in_range(1, 8192), everyday);
    f("sharing", o.sharing,
      "which of the source, target and output matrices are shared (with the source: needs a shared "
      "vocabulary)");
    f("source-file", o.source_file,
      "pretrained source embeddings: of GloVe, word2vec (also binary) or fastText (.vec); each may be .gz",
      file_path);
    f("target-file", o.target_file, "pretrained target embeddings", file_path);
    f("freeze", o.freeze, "do not train the rows of tokens that have a pretrained embedding",
      only_if(!o.source_file.empty() || !o.target_file.empty(),
              "give --embedding.source-file or --embedding.target-file"));
  }
};

/// Of every recurrent encoder and decoder.
void recurrent_dropout_field(auto& o, auto& f) {
  f("recurrent-dropout", o.recurrent_dropout,
    "dropout inside the recurrence, one mask for all time steps (Gal and Ghahramani 2016)", in_range(0, 0.95),
    only_in_training);
}

/// What makes deep stacks of recurrent layers learn.
void depth_fields(auto& o, auto& f) {
  f("residual", o.residual, "add each layer's input to its output from the second layer on");
  f("layer-norm", o.layer_norm,
    "normalize the input of each layer from the second on, and the top layer's output (Ba et al. 2016)");
}

struct RnnEncoderOptions {
  static constexpr const char* type = "rnn";
  Cell cell = Cell::lstm;
  int64_t layers = 1;
  int64_t size = 256;
  bool bidirectional = true;
  bool residual = false;
  bool layer_norm = false;
  double dropout = 0.3;
  double recurrent_dropout = 0.0;
  static void fields(auto& o, auto& f) {
    f("cell", o.cell, "recurrent cell");
    f("layers", o.layers, "stacked layers", in_range(1, 16));
    f("size", o.size, "hidden size of each direction", in_range(1, 8192), everyday);
    f("bidirectional", o.bidirectional, "read the sentence in both directions");
    depth_fields(o, f);
    f("dropout", o.dropout, "regular dropout on embeddings and between layers", in_range(0, 0.95),
      only_in_training);
    recurrent_dropout_field(o, f);
  }
  int64_t memory_size() const { return bidirectional ? 2 * size : size; }
};

struct HierarchicalEncoderOptions {
  static constexpr const char* type = "hierarchical";
  Cell cell = Cell::lstm;
  int64_t layers = 1;
  int64_t size = 256;
  int64_t sentence_size = 128;
  bool bidirectional = true;
  double dropout = 0.3;
  double recurrent_dropout = 0.0;
  static void fields(auto& o, auto& f) {
    f("cell", o.cell, "recurrent cell");
    f("layers", o.layers, "stacked layers over tokens", in_range(1, 16));
    f("size", o.size, "hidden size of each direction over tokens", in_range(1, 8192));
    f("sentence-size", o.sentence_size, "hidden size of each direction over sentences", in_range(1, 8192));
    f("bidirectional", o.bidirectional, "read tokens and sentences in both directions");
    f("dropout", o.dropout, "regular dropout on embeddings, between layers and on sentences",
      in_range(0, 0.95), only_in_training);
    recurrent_dropout_field(o, f);
  }
  RnnEncoderOptions words() const {
    return {.cell = cell,
            .layers = layers,
            .size = size,
            .bidirectional = bidirectional,
            .dropout = dropout,
            .recurrent_dropout = recurrent_dropout};
  }
  RnnEncoderOptions sentences() const {
    RnnEncoderOptions options = words();
    options.layers = 1;
    options.size = sentence_size;
    return options;
  }
  int64_t memory_size() const { return bidirectional ? 2 * size : size; }
};

/// What a gate z = sigmoid(W [c; h]) scales when the decoder joins context c and state h into its features
/// tanh(W_c c + W_h h) (Tu et al. 2017): the share of the source, that of the target, or both as z and 1 - z.
enum class ContextGate { none, source, target, both };
std::span<const char* const> option_names(ContextGate);

struct RnnDecoderOptions {
  static constexpr const char* type = "rnn";
  Cell cell = Cell::lstm;
  int64_t layers = 1;
  int64_t size = 512;
  AttentionOptions attention = AdditiveAttention{};
  CoverageOptions coverage = NoCoverage{};
  ContextGate context_gate = ContextGate::none;
  bool input_feeding = true;
  bool residual = false;
  bool layer_norm = false;
  double dropout = 0.3;
  double recurrent_dropout = 0.0;
  static void fields(auto& o, auto& f) {
    f("cell", o.cell, "recurrent cell");
    f("layers", o.layers, "stacked layers", in_range(1, 16));
    f("size", o.size, "hidden size", in_range(1, 8192), everyday);
    f.kind("attention", o.attention, "attention over the source; none = one fixed context vector", everyday);
    f.kind("coverage", o.coverage,
           "record of past attention: none, its sum (linear, See et al. 2017) or a GRU state per source "
           "token (gru, Tu et al. 2016)");
    f("context-gate", o.context_gate,
      "gate that scales the source context, the target (decoder) state or both at every step "
      "(Tu et al. 2017)");
    f("input-feeding", o.input_feeding,
      "feed the previous step's attentional output (with attention none: the fixed context) into every step");
    depth_fields(o, f);
    f("dropout", o.dropout, "regular dropout on embeddings, between layers and on the output",
      in_range(0, 0.95), only_in_training);
    recurrent_dropout_field(o, f);
  }
  bool has_attention() const { return !std::holds_alternative<NoAttention>(attention); }
  AttentionSizes attention_sizes(int64_t memory_size) const { return {size, memory_size, size}; }
};

/// How a Transformer knows where words stand (nn/positions.h); learned: a vector for each of the first
/// positions.
enum class PositionKind { sinusoidal, learned, rotary };
std::span<const char* const> option_names(PositionKind);

/// Of an encoder or a decoder, whose width is that of the embedding.
struct TransformerOptions {
  static constexpr const char* type = "transformer";
  int64_t layers = 4;
  int64_t heads = 4;
  int64_t inner_size = 1024;
  NormPlace norm = NormPlace::pre;
  Activation activation = Activation::relu;
  PositionKind positions = PositionKind::sinusoidal;
  double dropout = 0.1;
  double attention_dropout = 0.0;
  double activation_dropout = 0.0;
  static void fields(auto& o, auto& f) {
    f("layers", o.layers, "stacked layers, all as wide as the embedding", in_range(1, 64));
    f("heads", o.heads, "attention heads, among which the width is divided", in_range(1, 64));
    f("inner-size", o.inner_size, "inner width of the feed-forward sublayer", in_range(1, 65536));
    f("norm", o.norm,
      "layer normalization before each sublayer (pre: trains more stably) or after it (post)");
    f("activation", o.activation, "activation of the feed-forward sublayer");
    f("positions", o.positions,
      "position encoding: sinusoidal (Vaswani et al. 2017), a learned vector for each of the first 1,024 "
      "positions, or rotary (Su et al. 2021)");
    f("dropout", o.dropout, "regular dropout on embeddings and on the output of each sublayer",
      in_range(0, 0.95), only_in_training);
    f("attention-dropout", o.attention_dropout, "dropout on attention weights", in_range(0, 0.95),
      only_in_training);
    f("activation-dropout", o.activation_dropout, "dropout inside the feed-forward sublayer",
      in_range(0, 0.95), only_in_training);
  }
};

using EncoderOptions = std::variant<RnnEncoderOptions, HierarchicalEncoderOptions, TransformerOptions>;
using DecoderOptions = std::variant<RnnDecoderOptions, TransformerOptions>;

/// Everything that decides the shape of a model, apart from its vocabularies.
struct ModelOptions {
  EmbeddingOptions embedding;
  EncoderOptions encoder;
  DecoderOptions decoder;
  bool copying = false;
  double word_dropout = 0.0;
  double initial_range = 0.1;
  static void fields(auto& o, auto& f) {
    f.group("embedding", o.embedding);
    f.choice("encoder", o.encoder, "kind of encoder", everyday);
    f.choice("decoder", o.decoder, "kind of decoder", everyday);
    f("copying", o.copying,
      "mix generation with copying of source tokens, also unknown ones (pointer-generator, See et al. 2017)",
      everyday);
    f("word-dropout", o.word_dropout, "share of input tokens replaced by <unk> in training, on both sides",
      in_range(0, 0.95), only_in_training);
    f("initial-range", o.initial_range,
      "initial weights are uniform in +- this (Transformer layers: as in Glorot and Bengio 2010; biases 0, "
      "LSTM forget gates 1)",
      in_range(1e-6, 10));
  }
};

SEQ2SEQ_DECLARE_OPTIONS(ModelOptions)

/// Width of the states that the encoder gives the decoder.
int64_t memory_size(const ModelOptions& options);
bool has_attention(const ModelOptions& options);

/// Rules between fields. Throws UsageError.
void check(const ModelOptions& options);

}  // namespace seq2seq
