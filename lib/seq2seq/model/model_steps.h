#pragma once

#include <memory>
#include <string>
#include <vector>

#include "seq2seq/model/decoder_steps.h"
#include "seq2seq/model/seq2seq_model.h"

namespace seq2seq {

struct QuantizedWeight;

/// Seq2Seq::advance for searches (decoder_steps.h), with the rows of hypotheses instead of a State.
class ModelSteps {
 public:
  /// Null if the model's decoder has no such steps, or the settings of this thread (Compute) ask for other arithmetic.
  /// `weights` must outlive them.
  static std::unique_ptr<ModelSteps> of(Seq2Seq model, WeightStore& weights);
  /// Why there are none, in a few words; empty = there are.
  static std::string why_none(Seq2Seq model);
  /// Whether `of` would make other steps now.
  bool outdated() const;

  void begin(const Memory& memory);
  /// As many sentences as Memory::select would keep.
  void keep_sentences(const Tensor& rows);
  /// tokens [N], parents [N]: the row of the step before that each hypothesis continues, at first its sentence. The
  /// tensors of the result are overwritten by the next step.
  Step advance(const Tensor& tokens, const Tensor& parents);

 private:
  ModelSteps(Seq2Seq model, std::unique_ptr<DecoderSteps> decoder, const StepKernels* kernels,
             const QuantizedWeight* embeddings)
      : model_(std::move(model)), decoder_(std::move(decoder)), kernels_(kernels), embeddings_(embeddings) {}
  const float* embedded(const Tensor& tokens);

  Seq2Seq model_;
  std::unique_ptr<DecoderSteps> decoder_;
  const StepKernels* kernels_;
  const QuantizedWeight* embeddings_;  // null: those of the model
  std::vector<int64_t> sentences_, sentence_of_row_;
  int64_t source_length_ = 0;
  StepBuffer embedded_, no_attention_;
};

}  // namespace seq2seq
