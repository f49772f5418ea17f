#pragma once

#include <string>
#include <variant>

#include "seq2seq/core/options.h"
#include "seq2seq/nn/attention.h"
#include "seq2seq/nn/recurrent.h"

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
    f("size", o.size, "width of the word vectors", in_range(1, 8192));
    f("sharing", o.sharing,
      "which of the source, target and output matrices are the same (needs one vocabulary "
      "when the source takes part)");
    f("source-file", o.source_file,
      "pretrained source vectors: a token and its numbers a line (word2vec or GloVe text)");
    f("target-file", o.target_file, "pretrained target vectors");
    f("freeze", o.freeze, "do not train the pretrained vectors");
  }
};

/// Of every recurrent encoder and decoder.
void recurrent_dropout_field(auto& o, auto& f) {
  f("recurrent-dropout", o.recurrent_dropout,
    "dropout inside the recurrence, one mask for all time steps (Gal and Ghahramani 2016)",
    in_range(0, 0.95));
}

struct RnnEncoderOptions {
  static constexpr const char* type = "rnn";
  Cell cell = Cell::lstm;
  int64_t layers = 1;
  int64_t size = 256;
  bool bidirectional = true;
  bool residual = false;
  double dropout = 0.3;
  double recurrent_dropout = 0.0;
  static void fields(auto& o, auto& f) {
    f("cell", o.cell, "recurrent cell");
    f("layers", o.layers, "stacked layers", in_range(1, 16));
    f("size", o.size, "state width of each direction", in_range(1, 8192));
    f("bidirectional", o.bidirectional, "read the sentence in both directions");
    f("residual", o.residual, "add each layer's input to its output from the second layer on");
    f("dropout", o.dropout, "regular dropout on embeddings and between layers", in_range(0, 0.95));
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
    f("layers", o.layers, "stacked layers that read the words", in_range(1, 16));
    f("size", o.size, "state width of each direction over words", in_range(1, 8192));
    f("sentence-size", o.sentence_size, "state width of each direction over sentences", in_range(1, 8192));
    f("bidirectional", o.bidirectional, "read words and sentences in both directions");
    f("dropout", o.dropout, "regular dropout on embeddings, between layers and on sentences",
      in_range(0, 0.95));
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

struct RnnDecoderOptions {
  static constexpr const char* type = "rnn";
  Cell cell = Cell::lstm;
  int64_t layers = 1;
  int64_t size = 512;
  AttentionKind attention = AttentionKind::additive;
  CoverageKind coverage = CoverageKind::none;
  bool input_feeding = true;
  bool residual = false;
  double dropout = 0.3;
  double recurrent_dropout = 0.0;
  static void fields(auto& o, auto& f) {
    f("cell", o.cell, "recurrent cell");
    f("layers", o.layers, "stacked layers", in_range(1, 16));
    f("size", o.size, "state width", in_range(1, 8192));
    f("attention", o.attention, "how the decoder looks at the source; none = one fixed context vector");
    f("coverage", o.coverage,
      "what attention remembers of where it has looked: nothing, the sum of past attention (See et al. 2017) "
      "or a GRU "
      "state for each source word (Tu et al. 2016)");
    f("input-feeding", o.input_feeding,
      "feed the previous step's attention result (with attention none: the fixed context) into every step");
    f("residual", o.residual, "add each layer's input to its output from the second layer on");
    f("dropout", o.dropout, "regular dropout on embeddings, between layers and on the output",
      in_range(0, 0.95));
    recurrent_dropout_field(o, f);
  }
};

using EncoderOptions = std::variant<RnnEncoderOptions, HierarchicalEncoderOptions>;
using DecoderOptions = std::variant<RnnDecoderOptions>;

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
    f.choice("encoder", o.encoder, "kind of encoder");
    f.choice("decoder", o.decoder, "kind of decoder");
    f("copying", o.copying,
      "mix the vocabulary with the source's own words, known or not (pointer-generator, See et al. 2017)");
    f("word-dropout", o.word_dropout, "share of input words replaced by <unk> in training, on both sides",
      in_range(0, 0.95));
    f("initial-range", o.initial_range,
      "weights begin uniform in +- this (biases at 0, LSTM forget gates at 1)", in_range(1e-6, 10));
  }
};

/// Rules between fields. Throws UsageError.
void check(const ModelOptions& options);

}  // namespace seq2seq
