#pragma once

#include <torch/nn/module.h>

#include <memory>
#include <vector>

#include "seq2seq/model/options.h"
#include "seq2seq/model/rows.h"
#include "seq2seq/nn/dropout.h"
#include "seq2seq/nn/recurrent.h"

namespace seq2seq {

/// Reads embedded source sentences. `noise` null = no dropout.
class Encoder : public torch::nn::Module {
 public:
  /// embedded [B, S, E], lengths [B] -> states [B, S, memory_size], mask, summary [B, summary_size].
  virtual Memory forward(const Tensor& embedded, const Tensor& lengths, Noise* noise) = 0;
  virtual int64_t memory_size() const = 0;
  virtual int64_t summary_size() const = 0;
};

/// Stacked recurrent layers, each optionally in both directions (Schuster and Paliwal 1997). The summary is
/// the last state of the top layer, of each direction where it ends.
class RnnEncoderImpl : public Encoder {
 public:
  RnnEncoderImpl(const RnnEncoderOptions& options, int64_t embedding_size);
  Memory forward(const Tensor& embedded, const Tensor& lengths, Noise* noise) override;
  int64_t memory_size() const override { return options_.memory_size(); }
  int64_t summary_size() const override { return options_.memory_size(); }

 private:
  RnnEncoderOptions options_;
  std::vector<RecurrentLayer> forward_layers_, backward_layers_;
};

std::shared_ptr<Encoder> make_encoder(const EncoderOptions& options, int64_t embedding_size);

}  // namespace seq2seq
