#pragma once

#include <memory>
#include <vector>

#include "seq2seq/model/decoder.h"
#include "seq2seq/model/encoder.h"
#include "seq2seq/nn/layers/transformer.h"

namespace seq2seq {

/// Positional encoding: added to the embeddings, or a rotation of queries and keys.
class PositionsImpl : public torch::nn::Module {
 public:
  static constexpr int64_t learned_limit = 1024;  ///< later positions share the last learned one

  explicit PositionsImpl(const TransformerOptions& options, int64_t width);
  /// embedded [N, T, D], scaled by sqrt(D) (Vaswani et al. 2017, section 3.4), plus the encoding of positions
  /// [N or 1, T] unless they are rotary.
  Tensor placed(const Tensor& embedded, const Tensor& positions);
  /// Null unless positions are rotary.
  std::unique_ptr<Rotation> rotation(const Tensor& positions, const Tensor& like) const;
  void initialize(Initializer& initializer);
  /// [learned_limit, D]; undefined for other kinds.
  const Tensor& learned() const { return learned_; }

 private:
  PositionKind kind_;
  int64_t head_width_;
  Tensor learned_;  // [learned_limit, D]
};
TORCH_MODULE(Positions);

/// The encoder of Vaswani et al. (2017). Its width is that of the embeddings; the summary is the mean of the
/// states over the tokens.
class TransformerEncoderImpl : public Encoder {
 public:
  TransformerEncoderImpl(const TransformerOptions& options, int64_t width);
  Memory forward(const SourceBatch& source, const Tensor& embedded, Noise* noise) override;
  void initialize(Initializer& initializer) override;
  int64_t memory_size() const override { return width_; }
  int64_t summary_size() const override { return width_; }

 private:
  TransformerOptions options_;
  int64_t width_;
  Positions positions_{nullptr};
  std::vector<TransformerEncoderLayer> layers_;
  LayerNorm norm_{nullptr};  // with pre-normalization
};

/// The decoder of Vaswani et al. (2017). Its attention to the source, for copying, alignment and coverage
/// loss, is that of the last layer's first head, the copy head; the other layers are fused. p_gen is
/// computed from the feature and the embedded input.
class TransformerDecoderImpl : public Decoder {
 public:
  TransformerDecoderImpl(const TransformerOptions& options, bool copying, int64_t width, int64_t memory_size);
  Memory prepare(const Memory& memory) override;
  State start(const Memory& memory) override;
  Step advance(const Memory& memory, const Tensor& embedded, const State& state) override;
  StepSequence forward(const Memory& memory, const Tensor& embedded, Noise* noise) override;
  StepSequence forward_by_word(const Memory& memory, int64_t steps, const WordAt& word_at,
                               Noise* noise) override;
  void initialize(Initializer& initializer) override;
  int64_t feature_size() const override { return width_; }
  bool has_attention() const override { return true; }
  std::unique_ptr<DecoderSteps> steps(WeightStore& weights, const StepKernels& kernels) override;
  std::string why_no_steps() const override { return {}; }

 private:
  class Steps;
  struct View;  // the named tensors of a State
  StepSequence run(const Memory& memory, const Tensor& embedded, const Tensor& positions,
                   std::vector<HeadMemory>* before, Noise* noise);
  Step step(const Memory& memory, const Tensor& embedded, const State& state, Noise* noise);

  TransformerOptions options_;
  int64_t width_;
  Positions positions_{nullptr};
  std::vector<TransformerDecoderLayer> layers_;
  LayerNorm norm_{nullptr};  // with pre-normalization
  Linear copy_gate_{nullptr};
};

}  // namespace seq2seq
