#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <memory>

#include "seq2seq/data/batch.h"
#include "seq2seq/model/decoder.h"
#include "seq2seq/model/embedding.h"
#include "seq2seq/model/encoder.h"
#include "seq2seq/model/output.h"

namespace seq2seq {

/// A batch as tensors on the model's device.
struct TensorBatch {
  SourceBatch source;
  Tensor target_input, target_output;  ///< [B, T]
  Tensor target_places = {};           ///< [R] indices of the tokens among the B * T of target_output
};
TensorBatch to_tensors(const Batch& batch, const at::Device& device = at::kCPU);

/// Encoder, decoder, embeddings and output layer as one trainable model.
class Seq2SeqImpl : public torch::nn::Module {
 public:
  /// Weights are left uninitialized: call `initialize` or load them.
  Seq2SeqImpl(const ModelOptions& options, int64_t source_vocabulary, int64_t target_vocabulary);

  /// Uniform in +-initial_range, Transformer matrices as in Glorot and Bengio (2010); biases 0, LSTM forget
  /// biases 1, normalization gains 1, padding rows 0. Depends on the seed alone.
  void initialize(uint64_t seed);

  /// For models that copy: the target id of each source id, -1 for tokens outside the target vocabulary
  /// and special tokens.
  void set_source_to_target(const std::vector<int64_t>& table);

  /// Encodes the source and prepares it for decoding. Ids beyond the source vocabulary are unknown tokens;
  /// equal ids are the same token.
  Memory encode(const SourceBatch& source, Noise* noise = nullptr);
  State start(const Memory& memory) { return decoder_->start(memory); }
  /// One step for tokens [N].
  Step advance(const Memory& memory, const Tensor& tokens, const State& state);
  /// Features and attention of all steps, given target_input [B, T].
  StepSequence decode(const Memory& memory, const Tensor& target_input, Noise* noise = nullptr);
  /// As `decode`, step by step: each input token after <s> is, with probability `sampling`, sampled from the
  /// model's own distribution instead of the target (scheduled sampling, Bengio et al. 2015).
  StepSequence decode_sampled(const Memory& memory, const Tensor& target_input, double sampling,
                              Noise* noise);

  Output& output() { return output_; }
  const Encoder& encoder() const { return *encoder_; }
  Decoder& decoder() { return *decoder_; }
  const Decoder& decoder() const { return *decoder_; }
  const ModelOptions& options() const { return options_; }
  bool has_attention() const { return decoder_->has_attention(); }
  int64_t source_vocabulary_size() const { return source_embedding_->weight.size(0); }
  int64_t target_vocabulary_size() const { return target_vocabulary_; }
  Embedding& source_embedding() { return source_embedding_; }
  Embedding& target_embedding() { return target_embedding_; }
  at::Device device() const { return source_embedding_->weight.device(); }

 private:
  ModelOptions options_;
  int64_t target_vocabulary_;
  Tensor source_to_target_;  // [source vocabulary], with copying
  Embedding source_embedding_{nullptr}, target_embedding_{nullptr};
  std::shared_ptr<Encoder> encoder_;
  std::shared_ptr<Decoder> decoder_;
  Output output_{nullptr};
};
TORCH_MODULE(Seq2Seq);

int64_t parameter_count(const torch::nn::Module& model);

}  // namespace seq2seq
