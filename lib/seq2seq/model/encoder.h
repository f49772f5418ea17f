#pragma once

#include <torch/nn/module.h>

#include <memory>
#include <vector>

#include "seq2seq/model/options.h"
#include "seq2seq/model/rows.h"
#include "seq2seq/nn/layers/layer_norm.h"
#include "seq2seq/nn/layers/recurrent.h"
#include "seq2seq/nn/ops/dropout.h"

namespace seq2seq {

/// Encodes embedded sources. `noise` null = no dropout.
class Encoder : public torch::nn::Module {
 public:
  /// source: ids [B, S] and lengths [B], embedded [B, S, E] -> states [B, S, memory_size], mask, summary
  /// [B, summary_size]; a hierarchical encoder adds its sentences.
  virtual Memory forward(const SourceBatch& source, const Tensor& embedded, Noise* noise) = 0;
  virtual void initialize(Initializer& initializer) = 0;
  virtual int64_t memory_size() const = 0;
  virtual int64_t summary_size() const = 0;
  /// Width of the sentence states of a hierarchical encoder, else 0.
  virtual int64_t sentence_size() const { return 0; }
};

/// Stacked recurrent layers, each optionally in both directions (Schuster and Paliwal 1997). The summary is
/// the final state of the top layer in each direction.
class RnnEncoderImpl : public Encoder {
 public:
  RnnEncoderImpl(const RnnEncoderOptions& options, int64_t embedding_size);
  Memory forward(const SourceBatch& source, const Tensor& embedded, Noise* noise) override;
  /// The same for any vectors x [B, S, I] with lengths [B].
  Memory read(const Tensor& x, const Tensor& lengths, Noise* noise);
  void initialize(Initializer& initializer) override;
  int64_t memory_size() const override { return options_.memory_size(); }
  int64_t summary_size() const override { return options_.memory_size(); }

 private:
  RnnEncoderOptions options_;
  std::vector<RecurrentLayer> forward_layers_, backward_layers_;
  std::vector<LayerNorm> norms_;  // with layer normalization: after each layer
};

/// Words, then sentences (Nallapati et al. 2016, section 2.3). A recurrent encoder reads all tokens of the
/// document; each sentence is then represented by the token states at its two ends plus a position vector,
/// and a second recurrent encoder reads the sentences. <s> in the source ends a sentence, as </s> does; an
/// empty sentence consists of that token alone.
class HierarchicalEncoderImpl : public Encoder {
 public:
  HierarchicalEncoderImpl(const HierarchicalEncoderOptions& options, int64_t embedding_size);
  Memory forward(const SourceBatch& source, const Tensor& embedded, Noise* noise) override;
  void initialize(Initializer& initializer) override;
  int64_t memory_size() const override { return words_->memory_size(); }
  int64_t summary_size() const override { return words_->summary_size() + sentences_->summary_size(); }
  int64_t sentence_size() const override { return sentences_->memory_size(); }

 private:
  std::shared_ptr<RnnEncoderImpl> words_, sentences_;
  Tensor position_;  // [limit, 2 * memory_size]: added to each sentence; later ones share the last
};

}  // namespace seq2seq
